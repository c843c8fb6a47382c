import { setTimeout as pause } from 'node:timers/promises';
import { creditOf, sliceOf, worthAsking } from '../../domain/relay/limit-share.ts';
import type { LimitPool } from '../ports/limit-pool.ts';
import type { Stopwatch } from '../ports/stopwatch.ts';
import type { CallerLimits } from './relay-limits.ts';

/** Why the processes together have no room for a call. */
export type NoRoom = { readonly why: 'rate'; readonly waitMs: number } | { readonly why: 'places' };

interface Share {
  readonly subject: string;
  readonly limits: CallerLimits;
  /** Requests in hand; below zero, let in on credit. */
  requests: number;
  /** Nothing is to be had before this, on the stopwatch. */
  emptyUntil: number;
  /** The last answer was less than was wanted: nothing goes on credit. */
  short: boolean;
  places: number;
  placesShort: boolean;
  inFlight: number;
  waiting: number;
  asking: Promise<boolean> | null;
  askedAt: number;
  usedAt: number;
}

/** A share that nobody used for so long goes back. */
const IDLE_MS = 2_000;
/** Places are asked for again this often, or they would lapse. */
const RENEW_MS = 5_000;
/** A place that was given back in another process a moment ago may be on its way. */
const SECOND_LOOK_MS = 25;
const TRIES = 3;

/**
 * This process's part in limits that all processes share. Requests and places are taken from the common allowance in slices, ahead of
 * need, so that a call is let in by arithmetic; only a call for which nothing is in hand waits for one round trip. While the allowance
 * cannot be reached everybody is let in: the limits of the process hold by themselves.
 */
export class SharedLimits {
  readonly #pool: LimitPool;
  readonly #stopwatch: Stopwatch;
  readonly #shares = new Map<string, Share>();

  constructor(pool: LimitPool, stopwatch: Stopwatch) {
    this.#pool = pool;
    this.#stopwatch = stopwatch;
  }

  /** Lets a call in (`null`), to be given back by {@link leave}; or counts nothing and says why not. */
  enter(subject: string, limits: CallerLimits): NoRoom | null | Promise<NoRoom | null> {
    const now = this.#stopwatch.elapsed();
    const share = this.#shareOf(subject, limits, now);
    share.usedAt = now;
    if (!this.#pool.isReachable(subject)) {
      this.#take(share);
      return null;
    }
    const lacks = this.#lacks(share, now);
    if (lacks === null) {
      this.#take(share);
      this.#askAhead(share, now);
      return null;
    }
    return lacks.why === 'rate' && lacks.waitMs > 0 ? lacks : this.#waitFor(share);
  }

  /** The call that was let in is not made after all. */
  takeBack(subject: string): void {
    const share = this.#shares.get(subject);
    if (share !== undefined && share.limits.requestsPerMinute !== null && this.#pool.isReachable(subject)) share.requests++;
    this.leave(subject);
  }

  leave(subject: string): void {
    const share = this.#shares.get(subject);
    if (share === undefined) return;
    share.inFlight--;
    // Somebody else may be waiting for the only place there is.
    if (share.limits.inFlight !== null && creditOf(share.limits.inFlight) === 0 && share.places > share.inFlight)
      void Promise.resolve(share.asking).then(() => this.#ask(share));
  }

  /** To be called about once a second: renews what is held and gives back what nobody uses. */
  async tick(): Promise<void> {
    const now = this.#stopwatch.elapsed();
    const asked: Promise<unknown>[] = [];
    for (const share of this.#shares.values()) {
      if (share.inFlight === 0 && share.waiting === 0 && now - share.usedAt >= IDLE_MS) asked.push(this.#giveBack(share));
      else if (share.places > 0 && now - share.askedAt >= RENEW_MS) asked.push(this.#ask(share));
    }
    await Promise.all(asked);
  }

  /** Gives everything back. */
  async close(): Promise<void> {
    await Promise.all([...this.#shares.values()].map((share) => this.#giveBack(share)));
  }

  #shareOf(subject: string, limits: CallerLimits, now: number): Share {
    let share = this.#shares.get(subject);
    if (share === undefined) {
      share = {
        subject,
        limits,
        requests: 0,
        emptyUntil: 0,
        short: false,
        places: 0,
        placesShort: false,
        inFlight: 0,
        waiting: 0,
        asking: null,
        askedAt: -Infinity,
        usedAt: now,
      };
      this.#shares.set(subject, share);
    }
    return share;
  }

  #lacks(share: Share, now: number): NoRoom | null {
    const { requestsPerMinute, inFlight } = share.limits;
    if (requestsPerMinute !== null && share.requests <= (share.short ? 0 : -creditOf(requestsPerMinute)))
      return { why: 'rate', waitMs: Math.max(0, share.emptyUntil - now) };
    if (inFlight !== null && share.inFlight >= share.places + (share.placesShort ? 0 : creditOf(inFlight))) return { why: 'places' };
    return null;
  }

  #take(share: Share): void {
    share.inFlight++;
    if (share.limits.requestsPerMinute !== null && this.#pool.isReachable(share.subject)) share.requests--;
  }

  async #waitFor(share: Share): Promise<NoRoom | null> {
    share.waiting++;
    let lookedTwice = false;
    try {
      for (let tries = 0; ;) {
        if (!(await this.#ask(share))) {
          this.#take(share);
          return null;
        }
        const lacks = this.#lacks(share, this.#stopwatch.elapsed());
        if (lacks === null) {
          this.#take(share);
          return null;
        }
        if (lacks.why === 'places' && !lookedTwice) {
          lookedTwice = true;
          await pause(SECOND_LOOK_MS);
        } else if (++tries >= TRIES || lacks.why === 'places' || lacks.waitMs > 0) return lacks;
      }
    } finally {
      share.waiting--;
    }
  }

  #askAhead(share: Share, now: number): void {
    if (share.asking !== null) return;
    const { requestsPerMinute, inFlight } = share.limits;
    const few = (left: number, limit: number | null): boolean => limit !== null && creditOf(limit) > 0 && left < sliceOf(limit) / 2;
    const requestsLow = few(share.requests, requestsPerMinute) && now >= share.emptyUntil;
    const placesLow = few(share.places - share.inFlight, inFlight) && !share.placesShort;
    if (requestsLow || placesLow) void this.#ask(share);
  }

  /** One asking at a time, for all who wait. False when there was no answer. */
  #ask(share: Share): Promise<boolean> {
    share.asking ??= this.#askOnce(share).finally(() => {
      share.asking = null;
    });
    return share.asking;
  }

  async #askOnce(share: Share): Promise<boolean> {
    const { subject, limits } = share;
    const { requestsPerMinute, inFlight } = limits;
    const owed = Math.max(0, -share.requests);
    const wanted =
      requestsPerMinute === null
        ? 0
        : creditOf(requestsPerMinute) > 0
          ? Math.max(0, sliceOf(requestsPerMinute) - Math.max(0, share.requests))
          : Math.max(0, share.waiting - share.requests);
    const places = inFlight === null ? 0 : share.inFlight + (creditOf(inFlight) > 0 ? sliceOf(inFlight) : share.waiting);
    share.askedAt = this.#stopwatch.elapsed();
    const grant = await this.#pool.ask({
      subject,
      requestsPerMinute,
      inFlight,
      owed,
      wanted,
      worthAsking: requestsPerMinute === null ? 1 : worthAsking(requestsPerMinute),
      placesNeeded: inFlight === null ? 0 : share.inFlight,
      placesWanted: places,
    });
    if (grant === undefined) return false;
    share.requests += owed + grant.taken;
    share.short = grant.taken < wanted;
    share.emptyUntil = share.short ? this.#stopwatch.elapsed() + grant.waitMs : 0;
    share.places = grant.places;
    share.placesShort = grant.places < places;
    return true;
  }

  async #giveBack(share: Share): Promise<void> {
    await share.asking;
    if (share.inFlight > 0 || share.waiting > 0) return;
    this.#shares.delete(share.subject);
    if (share.requests === 0 && share.places === 0) return;
    const { subject, limits } = share;
    await this.#pool.ask({ subject, ...limits, owed: -share.requests, wanted: 0, worthAsking: 1, placesNeeded: 0, placesWanted: 0 });
  }
}
