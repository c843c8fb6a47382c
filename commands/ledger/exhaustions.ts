import type { Refusal } from '../../schemas/errors.ts';
import type { TokenId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';

/** The last word of an account that had nothing left for a key. */
interface Exhaustion {
  readonly refusal: Refusal;
  readonly least: Money;
  readonly at: number;
}

/** How long the word of an exhausted account is believed at most, should news of it not arrive. */
const EXHAUSTION_MS = 1_000;

/** Whether a word given at `then` still holds; a clock that jumped back does not make it hold for longer. Milliseconds since the epoch. */
export const isFresh = (then: number, now: number): boolean => now >= then && now - then < EXHAUSTION_MS;

/** The words of exhausted accounts, each believed until its account moves, so that not every call of an empty key asks it again. */
export class Exhaustions {
  readonly #words = new Map<TokenId, Exhaustion>();

  /** `least`: what could not be had. */
  believe(tokenId: TokenId, refusal: Refusal, least: Money, now: number): void {
    this.#words.set(tokenId, { refusal, least, at: now });
  }

  /** Why so much cannot be had; `null`: the account has not said so, or not lately. */
  wordOn(tokenId: TokenId, least: Money, now: number): Refusal | null {
    const word = this.#words.get(tokenId);
    return word !== undefined && isFresh(word.at, now) && least >= word.least ? word.refusal : null;
  }

  /** The account has moved. */
  forget(tokenId: TokenId): void {
    this.#words.delete(tokenId);
  }

  forgetStale(now: number): void {
    for (const [tokenId, { at }] of this.#words) if (!isFresh(at, now)) this.#words.delete(tokenId);
  }
}
