import type { Refusal } from '../../schemas/errors.ts';
import type { TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';

/** What a key may still spend, as last recorded. */
export interface KeyStanding {
  /** What this key has been charged, of all time. */
  readonly spent: Money;
  /** The most it may ever spend; `null` where only the account limits it. */
  readonly cap: Money | null;
  /** What the account has left: unspent credit, whether or not some of it is set aside for calls. */
  readonly balance: Money;
  /** The lesser of the balance and what the cap leaves. */
  readonly left: Money;
}

/** Asks the read models: may wait, and may be behind by what is in flight. */
export interface KeyStandings {
  of(userId: UserId, tokenId: TokenId): Promise<KeyStanding | Refusal>;
}
