import { isKeySpent } from '../../domain/ledger/account.ts';
import { tokenOf, tokenStream } from '../../domain/token/token.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { TokenId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { stepOf } from '../derived-id.ts';
import type { AccountBook } from '../ledger/account-book.ts';
import { readState } from '../read-state.ts';
import { runTokenCommand } from './run-token-command.ts';

/**
 * Opens a key again that its total quota had closed, where there is something left of that now. Done again it does nothing; a key that was revoked
 * stays so. The position is of the event that opened it, `null` where none was needed.
 */
export const reopenKey = async (
  deps: CommandLog & { readonly book: Pick<AccountBook, 'read'> },
  tokenId: TokenId,
  context: CommandContext,
): Promise<{ readonly position: Position | null } | Refusal> => {
  const token = await readState(deps.log, tokenStream(tokenId), tokenOf(tokenId));
  if (token.userId === null || !token.exhausted || token.revoked) return { position: null };
  const standing = await deps.book.read(token.userId);
  if (isRefusal(standing)) return standing;
  if (isKeySpent(standing.account, tokenId)) return { position: null };
  const opened = await runTokenCommand(deps, tokenId, { kind: 'reopen' }, stepOf(context, 'reopen'));
  return isRefusal(opened) ? opened : { position: opened.position };
};
