import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { RequestId, TokenId } from '../../schemas/ids.ts';
import type { IdempotencyClaims } from '../ports/idempotency-claims.ts';
import type { Stopwatch } from '../ports/stopwatch.ts';
import type { FlatHeaders } from './answer.ts';
import type { RelayLimits } from './relay-limits.ts';

/** An answer that was charged, as it was given. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: FlatHeaders;
  readonly body: Buffer;
}

/**
 * - `running`: the request runs now.
 * - `open`: it ended and charged nothing, so the same request may run again.
 * - `done`: it was charged; its answer is kept.
 * - `spent`: it was charged, or may have been, and its answer is not kept.
 */
type Entry = { readonly hash: string } & (
  | { readonly state: 'running' | 'open' }
  | { readonly state: 'spent'; readonly until: number }
  | { readonly state: 'done'; readonly until: number; readonly answer: KeptAnswer }
);

/** A request that has its key to itself. Ends with exactly one of these. */
export interface Claim {
  done(answer: KeptAnswer): void;
  spent(): void;
  open(): void;
}

export type Begun =
  | { readonly kind: 'claim'; readonly claim: Claim }
  | { readonly kind: 'kept'; readonly answer: KeptAnswer }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Printable ASCII: what survives every header parser on the way. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Requests with an `Idempotency-Key`. This process keeps finished answers for a while and within bounds; that a key is used
 * once by all processes, and after a restart, is the claim's business.
 */
export class KeptAnswers {
  readonly #claims: IdempotencyClaims;
  readonly #stopwatch: Stopwatch;
  readonly #limits: RelayLimits['kept'];
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(claims: IdempotencyClaims, stopwatch: Stopwatch, limits: RelayLimits['kept']) {
    this.#claims = claims;
    this.#stopwatch = stopwatch;
    this.#limits = limits;
  }

  /** What is known of the key without asking anybody; `null` when the request is to be claimed and run. */
  known(tokenId: TokenId, key: string, hash: string): Exclude<Begun, { kind: 'claim' }> | null {
    const entry = this.#entries.get(`${tokenId} ${key}`);
    if (entry === undefined) return null;
    if (entry.hash !== hash) return { kind: 'refused', refusal: refuse('idempotency_conflict') };
    switch (entry.state) {
      case 'running':
        return { kind: 'refused', refusal: refuse('idempotency_in_flight', undefined, { retryAfterSeconds: 1 }) };
      case 'done':
        if (this.#stopwatch.elapsed() < entry.until) return { kind: 'kept', answer: entry.answer };
        return { kind: 'refused', refusal: refuse('idempotency_spent') };
      case 'spent':
        return { kind: 'refused', refusal: refuse('idempotency_spent') };
      case 'open':
        return null;
    }
  }

  /** Takes the key for a request, durably. To be called after {@link known} answered `null`. */
  async claim(tokenId: TokenId, key: string, hash: string, requestId: RequestId): Promise<Claim | Refusal> {
    const known = this.known(tokenId, key, hash);
    // Another request with the key came by while this one was being admitted.
    if (known !== null)
      return known.kind === 'refused' ? known.refusal : refuse('idempotency_in_flight', undefined, { retryAfterSeconds: 1 });
    const name = `${tokenId} ${key}`;
    const again = this.#entries.get(name)?.state === 'open';
    this.#put(name, { hash, state: 'running' });
    if (!again) {
      const claimed = await this.#claims.claim(tokenId, key, hash, requestId);
      if (claimed !== 'claimed') {
        this.#forget(name);
        return claimed;
      }
    }
    const until = (): number => this.#stopwatch.elapsed() + this.#limits.ms;
    return {
      done: (answer) =>
        this.#put(
          name,
          answer.body.length > this.#limits.answerBytes
            ? { hash, state: 'spent', until: until() }
            : { hash, state: 'done', until: until(), answer },
        ),
      spent: () => this.#put(name, { hash, state: 'spent', until: until() }),
      open: () => this.#put(name, { hash, state: 'open' }),
    };
  }

  #put(name: string, entry: Entry): void {
    this.#forget(name);
    this.#entries.set(name, entry);
    if (entry.state === 'done') this.#bytes += entry.answer.body.length;
    if (entry.state !== 'running') this.#evict();
  }

  #forget(name: string): void {
    const entry = this.#entries.get(name);
    if (entry?.state === 'done') this.#bytes -= entry.answer.body.length;
    this.#entries.delete(name);
  }

  /** Lets the oldest go. Their claims stay in the log, so letting one go can refuse a repeat but never charge it. */
  #evict(): void {
    const now = this.#stopwatch.elapsed();
    for (const [name, entry] of this.#entries) {
      if (entry.state === 'running') continue;
      const past = 'until' in entry && now >= entry.until;
      if (!past && this.#bytes <= this.#limits.bytes && this.#entries.size <= this.#limits.answers) return;
      this.#forget(name);
    }
  }
}
