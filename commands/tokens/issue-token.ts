import { tokenOf, tokenStream } from '../../domain/token/token.ts';
import { userOf, userStream } from '../../domain/user/user.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { TokenRestrictions } from '../../schemas/events/token.ts';
import { TokenId, type UserId } from '../../schemas/ids.ts';
import type { Instant } from '../../schemas/time.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { derivedId, stepOf } from '../derived-id.ts';
import type { AccountBook } from '../ledger/account-book.ts';
import type { ApiKeys } from '../ports/api-keys.ts';
import { readState } from '../read-state.ts';
import { runCommand } from '../run-command.ts';
import { setCaps, type CapChanges } from './set-caps.ts';

export interface IssueTokenDeps extends CommandLog {
  readonly book: Pick<AccountBook, 'execute'>;
  readonly apiKeys: ApiKeys;
}

export interface IssueToken {
  readonly userId: UserId;
  readonly name: string;
  readonly expiresAt: Instant | null;
  readonly restrictions: TokenRestrictions;
  readonly caps: CapChanges;
}

export interface TokenIssued {
  readonly tokenId: TokenId;
  /** The key itself: told here and never again. */
  readonly secret: string;
  readonly keyPrefix: string;
  readonly position: Position | null;
}

/** A new API key. Its caps are set before it exists, so that it never spends without them. */
export const issueToken = async (deps: IssueTokenDeps, command: IssueToken, context: CommandContext): Promise<TokenIssued | Refusal> => {
  const { userId, name, expiresAt, restrictions, caps } = command;
  if (expiresAt !== null && expiresAt <= context.occurredAt)
    return refuse('invalid_request', 'The expiry must lie in the future.', { param: 'expiresAt' });
  const user = await readState(deps.log, userStream(userId), userOf(userId));
  if (!user.registered) return refuse('not_found', 'There is no such user.', { param: 'userId' });
  if (user.suspended) return refuse('user_suspended');

  const tokenId = TokenId.parse(derivedId('key', context.commandId));
  const capped = await setCaps(deps.book, userId, { kind: 'key', tokenId }, caps, context);
  if (isRefusal(capped)) return capped;
  const { secret, shown: keyPrefix, hash: keyHash } = deps.apiKeys.make();
  const issued = await runCommand(
    deps.log,
    deps.appender,
    tokenStream(tokenId),
    tokenOf(tokenId),
    { kind: 'issue', userId, name, keyHash, keyPrefix, expiresAt, restrictions },
    stepOf(context, 'issue'),
  );
  return isRefusal(issued) ? issued : { tokenId, secret, keyPrefix, position: issued.position };
};
