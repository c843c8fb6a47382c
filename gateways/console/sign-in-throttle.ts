import type { Clock } from '../../commands/ports/clock.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { SignInPace } from '../ports/sign-in-failures.ts';

/** The owner must not be locked out by somebody who guesses at his account, so accounts wait less than addresses do. */
export const ACCOUNT_PACE: SignInPace = { free: 5, longestMs: 30_000 };
export const ADDRESS_PACE: SignInPace = { free: 20, longestMs: 900_000 };

const FIRST_WAIT_MS = 1_000;
/** Failures are forgotten after an hour without another. */
const FORGET_MS = 3_600_000;
/** Most accounts and most addresses that are remembered; the longest unheard of goes first. */
const REMEMBERED = 20_000;

/** What a refusal says. */
export const tooManyAttempts = (waitMs: number): readonly [message: string, { readonly retryAfterSeconds: number }] => {
  const seconds = Math.ceil(waitMs / 1_000);
  return [`Too many attempts to sign in. Try again in ${seconds} s.`, { retryAfterSeconds: seconds }];
};

interface Failures {
  count: number;
  lastAt: number;
}

class Ledger {
  readonly #pace: SignInPace;
  readonly #failures = new Map<string, Failures>();

  constructor(pace: SignInPace) {
    this.#pace = pace;
  }

  waitMs(key: string, now: number): number {
    const failures = this.#failures.get(key);
    if (failures === undefined || failures.count < this.#pace.free || now - failures.lastAt >= FORGET_MS) return 0;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures.count - this.#pace.free, 30), this.#pace.longestMs);
    return Math.max(0, failures.lastAt + wait - now);
  }

  count(key: string, now: number): void {
    const before = this.#failures.get(key);
    this.#failures.delete(key);
    if (this.#failures.size >= REMEMBERED) {
      const oldest = this.#failures.keys().next();
      if (!oldest.done) this.#failures.delete(oldest.value);
    }
    const fresh = before === undefined || now - before.lastAt >= FORGET_MS;
    this.#failures.set(key, { count: fresh ? 1 : before.count + 1, lastAt: now });
  }

  forgive(key: string, attempts: number): void {
    const failures = this.#failures.get(key);
    if (failures !== undefined) failures.count = Math.max(0, failures.count - attempts);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }
}

/** Slows down guessing, by account and by address. Knows of this process only, and of no more than it can remember. */
export class SignInThrottle {
  readonly #accounts = new Ledger(ACCOUNT_PACE);
  readonly #addresses = new Ledger(ADDRESS_PACE);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Whether an attempt may be made now. One that may counts as failed from here on, until {@link succeeded}: so attempts
   * made at the same time gain nothing over attempts made one by one.
   */
  begin(account: string, address: string): Refusal | null {
    const now = this.#clock.now();
    const wait = Math.max(this.#accounts.waitMs(account, now), this.#addresses.waitMs(address, now));
    if (wait > 0) return refuse('rate_limited', ...tooManyAttempts(wait));
    this.#accounts.count(account, now);
    this.#addresses.count(address, now);
    return null;
  }

  /** The account starts anew. Its address is forgiven this one attempt only: it may have been guessing at others. */
  succeeded(account: string, address: string): void {
    this.#accounts.forget(account);
    this.#addresses.forgive(address, 1);
  }

  /** The attempt was never judged: the server was busy. */
  withdrawn(account: string, address: string): void {
    this.#accounts.forgive(account, 1);
    this.#addresses.forgive(address, 1);
  }
}
