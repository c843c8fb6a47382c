import { levelOf, waitForOne } from '../../domain/relay/token-bucket.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { Stopwatch } from '../ports/stopwatch.ts';
import type { Caller } from './call.ts';
import type { CallerLimits, RelayLimits } from './relay-limits.ts';
import type { NoRoom, SharedLimits } from './shared-limits.ts';

/** A bucket of tokens that is changed in place, and the calls that run. */
interface Allowance {
  level: number;
  at: number;
  inFlight: number;
}

const MINUTE = 60_000;

/** Allowances that nobody used are swept when there are this many, and then when there are twice as many as were left. */
const SWEEP_AT = 10_000;

const waitFor = ({ requestsPerMinute }: CallerLimits, allowance: Allowance, now: number): number =>
  requestsPerMinute === null
    ? 0
    : waitForOne(levelOf(allowance, now, requestsPerMinute / MINUTE, requestsPerMinute), requestsPerMinute / MINUTE);

const take = ({ requestsPerMinute }: CallerLimits, allowance: Allowance, now: number): void => {
  allowance.inFlight++;
  if (requestsPerMinute === null) return;
  allowance.level = levelOf(allowance, now, requestsPerMinute / MINUTE, requestsPerMinute) - 1;
  allowance.at = now;
};

const giveBack = ({ requestsPerMinute }: CallerLimits, allowance: Allowance): void => {
  allowance.inFlight--;
  if (requestsPerMinute !== null) allowance.level++;
};

const keySubject = ({ token }: Caller): string => `key:${token.tokenId}`;
const userSubject = ({ user }: Caller): string => `user:${user.userId}`;

const tooOften = (waitMs: number): Refusal =>
  refuse('rate_limited', undefined, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });

/** How much one key and one user may ask for at once and per minute: in this process, and in all together where they share their limits. */
export class Limiter {
  readonly #stopwatch: Stopwatch;
  readonly #limits: Pick<RelayLimits, 'perKey' | 'perUser'>;
  readonly #shared: SharedLimits | null;
  readonly #keys = new Map<string, Allowance>();
  readonly #users = new Map<string, Allowance>();
  #sweepAt = SWEEP_AT;

  constructor(stopwatch: Stopwatch, limits: Pick<RelayLimits, 'perKey' | 'perUser'>, shared: SharedLimits | null = null) {
    this.#stopwatch = stopwatch;
    this.#limits = limits;
    this.#shared = shared;
  }

  /**
   * Lets a call in, to be given back by {@link leave}; or refuses it, and then nothing is counted anywhere. Waits only when the other
   * processes have to be asked first.
   */
  enter(caller: Caller): Refusal | null | Promise<Refusal | null> {
    const { token, user } = caller;
    const { perKey, perUser } = this.#limits;
    const now = this.#stopwatch.elapsed();
    const key = this.#allowance(this.#keys, token.tokenId, perKey, now);
    const owner = this.#allowance(this.#users, user.userId, perUser, now);
    if (perKey.inFlight !== null && key.inFlight >= perKey.inFlight) return this.#tooMany('key', perKey.inFlight);
    if (perUser.inFlight !== null && owner.inFlight >= perUser.inFlight) return this.#tooMany('account', perUser.inFlight);
    const wait = Math.max(waitFor(perKey, key, now), waitFor(perUser, owner, now));
    if (wait > 0) return tooOften(wait);
    take(perKey, key, now);
    take(perUser, owner, now);
    return this.#shared === null ? null : this.#enterShared(this.#shared, caller, key, owner);
  }

  leave(caller: Caller): void {
    const key = this.#keys.get(caller.token.tokenId);
    if (key !== undefined) key.inFlight--;
    const owner = this.#users.get(caller.user.userId);
    if (owner !== undefined) owner.inFlight--;
    this.#shared?.leave(keySubject(caller));
    this.#shared?.leave(userSubject(caller));
  }

  #enterShared(shared: SharedLimits, caller: Caller, key: Allowance, owner: Allowance): Refusal | null | Promise<Refusal | null> {
    const { perKey, perUser } = this.#limits;
    const [keyName, userName] = [keySubject(caller), userSubject(caller)];
    const judged = (ofKey: NoRoom | null, ofUser: NoRoom | null): Refusal | null => {
      if (ofKey === null && ofUser === null) return null;
      if (ofKey === null) shared.takeBack(keyName);
      if (ofUser === null) shared.takeBack(userName);
      giveBack(perKey, key);
      giveBack(perUser, owner);
      if (ofKey?.why === 'places') return this.#tooMany('key', perKey.inFlight ?? 0);
      if (ofUser?.why === 'places') return this.#tooMany('account', perUser.inFlight ?? 0);
      return tooOften(Math.max(ofKey?.waitMs ?? 0, ofUser?.waitMs ?? 0));
    };
    const ofKey = shared.enter(keyName, perKey);
    const ofUser = shared.enter(userName, perUser);
    return ofKey instanceof Promise || ofUser instanceof Promise
      ? Promise.all([ofKey, ofUser]).then(([first, second]) => judged(first, second))
      : judged(ofKey, ofUser);
  }

  #tooMany(whose: string, most: number): Refusal {
    return refuse('too_many_in_flight', `This ${whose} has ${most} requests running, which is the most it may have at once.`, {
      retryAfterSeconds: 1,
    });
  }

  #allowance(allowances: Map<string, Allowance>, id: string, { requestsPerMinute }: CallerLimits, now: number): Allowance {
    let allowance = allowances.get(id);
    if (allowance === undefined) {
      if (allowances.size >= this.#sweepAt) this.#sweep(allowances, now);
      allowance = { level: requestsPerMinute ?? 0, at: now, inFlight: 0 };
      allowances.set(id, allowance);
    }
    return allowance;
  }

  /** After a quiet minute a bucket is full again, which is what a new one is. */
  #sweep(allowances: Map<string, Allowance>, now: number): void {
    for (const [id, { at, inFlight }] of allowances) if (inFlight === 0 && now - at > MINUTE) allowances.delete(id);
    this.#sweepAt = Math.max(SWEEP_AT, 2 * allowances.size);
  }
}
