import type { CommandId, TokenId, UserId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentVault } from '../ports/content-vault.ts';

/** What is needed to keep answers and conversations, and to read them. */
export interface ArchiveDeps extends CommandLog {
  readonly vault: ContentVault;
  readonly clock: Clock;
  /** How long something is kept, in milliseconds. */
  readonly keepMs: number;
}

/** Who asks, in which request. */
export interface ArchiveCaller {
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly requestId: string;
}

/** The context of one step of a request. */
export const archiveContext = ({ userId, tokenId, requestId }: ArchiveCaller, clock: Clock, step: string): CommandContext => ({
  commandId: `${requestId}/${step}` as CommandId,
  correlationId: requestId,
  causationId: requestId,
  actor: { kind: 'token', id: tokenId },
  tenant: userId,
  occurredAt: new Date(clock.now()).toISOString(),
});
