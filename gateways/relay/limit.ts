import { levelOf, waitForOne, type TokenBucket } from '../../domain/relay/token-bucket.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { Stopwatch } from '../ports/stopwatch.ts';
import type { Caller } from './call.ts';
import type { CallerLimits, RelayLimits } from './relay-limits.ts';

interface Allowance {
  bucket: TokenBucket;
  inFlight: number;
}

const MINUTE = 60_000;

/** Allowances that nobody used are swept when there are this many, and then when there are twice as many as were left. */
const SWEEP_AT = 10_000;

const waitFor = ({ requestsPerMinute }: CallerLimits, { bucket }: Allowance, now: number): number =>
  requestsPerMinute === null
    ? 0
    : waitForOne(levelOf(bucket, now, requestsPerMinute / MINUTE, requestsPerMinute), requestsPerMinute / MINUTE);

const take = ({ requestsPerMinute }: CallerLimits, allowance: Allowance, now: number): void => {
  allowance.inFlight++;
  if (requestsPerMinute === null) return;
  allowance.bucket = { level: levelOf(allowance.bucket, now, requestsPerMinute / MINUTE, requestsPerMinute) - 1, at: now };
};

/** How much one key and one user may ask for at once and per minute, in this process. */
export class Limiter {
  readonly #stopwatch: Stopwatch;
  readonly #limits: Pick<RelayLimits, 'perKey' | 'perUser'>;
  readonly #keys = new Map<string, Allowance>();
  readonly #users = new Map<string, Allowance>();
  #sweepAt = SWEEP_AT;

  constructor(stopwatch: Stopwatch, limits: Pick<RelayLimits, 'perKey' | 'perUser'>) {
    this.#stopwatch = stopwatch;
    this.#limits = limits;
  }

  /** Lets a call in, to be given back by {@link leave}; or refuses it, and then nothing is counted anywhere. */
  enter({ token, user }: Caller): Refusal | null {
    const { perKey, perUser } = this.#limits;
    const now = this.#stopwatch.elapsed();
    const key = this.#allowance(this.#keys, token.tokenId, perKey, now);
    const owner = this.#allowance(this.#users, user.userId, perUser, now);
    if (perKey.inFlight !== null && key.inFlight >= perKey.inFlight) return this.#tooMany('key', perKey.inFlight);
    if (perUser.inFlight !== null && owner.inFlight >= perUser.inFlight) return this.#tooMany('account', perUser.inFlight);
    const wait = Math.max(waitFor(perKey, key, now), waitFor(perUser, owner, now));
    if (wait > 0) return refuse('rate_limited', undefined, { retryAfterSeconds: Math.max(1, Math.ceil(wait / 1_000)) });
    take(perKey, key, now);
    take(perUser, owner, now);
    return null;
  }

  leave({ token, user }: Caller): void {
    const key = this.#keys.get(token.tokenId);
    if (key !== undefined) key.inFlight--;
    const owner = this.#users.get(user.userId);
    if (owner !== undefined) owner.inFlight--;
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
      allowance = { bucket: { level: requestsPerMinute ?? 0, at: now }, inFlight: 0 };
      allowances.set(id, allowance);
    }
    return allowance;
  }

  /** After a quiet minute a bucket is full again, which is what a new one is. */
  #sweep(allowances: Map<string, Allowance>, now: number): void {
    for (const [id, { bucket, inFlight }] of allowances) if (inFlight === 0 && now - bucket.at > MINUTE) allowances.delete(id);
    this.#sweepAt = Math.max(SWEEP_AT, 2 * allowances.size);
  }
}
