import { setTimeout as pause } from 'node:timers/promises';
import type { KeyHash } from '../../schemas/events/token.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { UserId } from '../../schemas/ids.ts';
import { ReadModelsUnavailable } from '../engine/read-models-unavailable.ts';
import type { Clock } from '../ports/clock.ts';
import type { DocumentCache } from '../ports/document-cache.ts';
import { NegativeEntries } from './negative-entries.ts';
import type { LookupOutcome } from './outside-documents.ts';
import { Turns } from './turns.ts';

/** What became of a look-up outside of memory. `unavailable`: nobody could say. */
export type Lookup = 'found' | 'unknown' | 'unavailable';

/** One kind of documents, as far as a look-up needs them. */
interface Outside<Doc> {
  fromCache(key: string): Promise<Doc | undefined>;
  fromRows(condition: string, value: string): Promise<{ readonly doc: Doc | undefined; readonly asOf: Position }>;
}

export interface KeyLookupDeps {
  readonly tokens: Outside<{ readonly tokenId: string; readonly userId: UserId; readonly keyHash: KeyHash }>;
  readonly users: Outside<unknown>;
  readonly cache: DocumentCache | null;
  readonly clock: Clock;
  /** The last event that issued a key, as far as the log has been seen. */
  readonly lastIssued: () => Position;
  readonly holdsUser: (userId: UserId) => boolean;
  readonly report: (kind: 'token', outcome: LookupOutcome) => void;
}

/** A guess at a key costs one look-up in ten seconds; keys have 256 bits, so nobody guesses the same wrong one by accident. */
const UNKNOWN_MS = 10_000;
const UNKNOWN_MOST = 10_000;
/** Guesses are all different, and each costs a query: so many at once, so many that wait. */
const AT_ONCE = 8;
const WAITING = 1_000;
/** How often, and how far apart, rows are asked again that are behind the last key that was issued. */
const BEHIND = { times: 20, ms: 50 };

/** Finds keys and their owners that memory does not hold, each once however many ask for it, and takes them in. */
export class KeyLookup {
  readonly #deps: KeyLookupDeps;
  readonly #unknown = new NegativeEntries(UNKNOWN_MOST, UNKNOWN_MS);
  readonly #running = new Map<KeyHash, Promise<Lookup>>();
  readonly #turns = new Turns(AT_ONCE, WAITING);

  constructor(deps: KeyLookupDeps) {
    this.#deps = deps;
  }

  /** The key has been issued. */
  issued(keyHash: KeyHash): void {
    this.#unknown.delete(keyHash);
  }

  find(keyHash: KeyHash, held: UserId | undefined): Promise<Lookup> {
    const running = this.#running.get(keyHash);
    if (running !== undefined) return running;
    if (this.#unknown.has(keyHash, this.#deps.clock.now())) return Promise.resolve('unknown');
    const lookup = this.#find(keyHash, held).finally(() => this.#running.delete(keyHash));
    this.#running.set(keyHash, lookup);
    return lookup;
  }

  async #find(keyHash: KeyHash, held: UserId | undefined): Promise<Lookup> {
    try {
      const owner = held === undefined ? await this.#ownerOf(keyHash) : { userId: held };
      if (typeof owner === 'string') return owner;
      return this.#deps.holdsUser(owner.userId) ? 'found' : await this.#user(owner.userId);
    } catch (error) {
      if (!(error instanceof ReadModelsUnavailable)) throw error;
      this.#deps.report('token', 'unavailable');
      return 'unavailable';
    }
  }

  /** Takes the key in, and says whose it is. */
  async #ownerOf(keyHash: KeyHash): Promise<{ readonly userId: UserId } | 'unknown' | 'unavailable'> {
    const { cache, tokens, clock } = this.#deps;
    const tokenId = (await cache?.tokenOf(keyHash)) ?? null;
    if (tokenId !== null) {
      const cached = await tokens.fromCache(tokenId);
      if (cached?.keyHash === keyHash) return cached;
    }
    const found = await this.#turns.take(() => this.#rowOf(keyHash));
    if (found === null || found === 'unavailable') {
      this.#deps.report('token', 'unavailable');
      return 'unavailable';
    }
    if (found === 'unknown') {
      this.#unknown.add(keyHash, clock.now(), Math.random());
      this.#deps.report('token', 'unknown');
      return 'unknown';
    }
    void cache?.putTokenOf(keyHash, found.tokenId);
    return found;
  }

  async #rowOf(keyHash: KeyHash): Promise<{ readonly tokenId: string; readonly userId: UserId } | 'unknown' | 'unavailable'> {
    for (let times = 0; times < BEHIND.times; times++) {
      const { doc, asOf } = await this.#deps.tokens.fromRows(`d.doc->>'keyHash' = $1`, keyHash);
      if (doc !== undefined) return doc;
      if (asOf >= this.#deps.lastIssued()) return 'unknown';
      await pause(BEHIND.ms);
    }
    return 'unavailable';
  }

  async #user(userId: UserId): Promise<Lookup> {
    if ((await this.#deps.users.fromCache(userId)) !== undefined) return 'found';
    const found = await this.#turns.take(() => this.#deps.users.fromRows('d.key = $1', userId));
    // Every key has an owner: one without is ahead of the rows.
    return found === null || found.doc === undefined ? 'unavailable' : 'found';
  }
}
