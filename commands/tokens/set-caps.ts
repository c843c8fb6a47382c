import { tokenOf, tokenStream } from '../../domain/token/token.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { CapScope, CapWindow } from '../../schemas/events/account.ts';
import type { TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { stepOf } from '../derived-id.ts';
import type { AccountBook } from '../ledger/account-book.ts';
import { readState } from '../read-state.ts';
import { reopenKey } from './reopen-key.ts';

/** By window; absent stays as it is, `null` lifts the cap. */
export type CapChanges = { readonly [Window in CapWindow]?: Money | null | undefined };

const WINDOWS: readonly CapWindow[] = ['day', 'month', 'total'];

/** Sets caps on an account: of the user, or of one key. */
export const setCaps = async (
  book: Pick<AccountBook, 'execute'>,
  userId: UserId,
  scope: CapScope,
  caps: CapChanges,
  context: CommandContext,
): Promise<{ readonly position: Position | null } | Refusal> => {
  let position: Position | null = null;
  for (const window of WINDOWS) {
    const amount = caps[window];
    if (amount === undefined) continue;
    const set = await book.execute(userId, { kind: 'setCap', scope, window, amount }, stepOf(context, `cap-${window}`));
    if (isRefusal(set)) return set;
    position = set.position ?? position;
  }
  return { position };
};

/** Sets the caps of one key, and reopens it when it was exhausted and has something left under the new quota. */
export const setKeyCaps = async (
  deps: CommandLog & { readonly book: Pick<AccountBook, 'execute' | 'read'> },
  key: { readonly tokenId: TokenId; readonly ownedBy?: UserId },
  caps: CapChanges,
  context: CommandContext,
): Promise<{ readonly position: Position | null } | Refusal> => {
  const { tokenId } = key;
  const token = await readState(deps.log, tokenStream(tokenId), tokenOf(tokenId));
  if (token.userId === null || (key.ownedBy !== undefined && token.userId !== key.ownedBy))
    return refuse('not_found', 'There is no such key.');
  const set = await setCaps(deps.book, token.userId, { kind: 'key', tokenId }, caps, context);
  if (isRefusal(set) || caps.total === undefined) return set;
  const reopened = await reopenKey(deps, tokenId, context);
  return isRefusal(reopened) ? reopened : { position: reopened.position ?? set.position };
};
