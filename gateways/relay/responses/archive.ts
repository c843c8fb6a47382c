import type { ArchiveCaller } from '../../../commands/responses/archive-context.ts';
import type { Conversations } from '../../../commands/responses/conversations.ts';
import type { KeptResponses } from '../../../commands/responses/kept-responses.ts';
import type { Call, Caller } from '../call.ts';

/** What the relay keeps for its callers. */
export interface Archive {
  readonly responses: Pick<KeptResponses, 'begin' | 'keep' | 'cancel' | 'read' | 'delete'>;
  readonly conversations: Pick<Conversations, 'start' | 'read' | 'describe' | 'add' | 'remove' | 'delete'>;
}

export const archiveCaller = ({ requestId }: Call, { user, token }: Caller): ArchiveCaller => ({
  userId: user.userId,
  tokenId: token.tokenId,
  requestId,
});
