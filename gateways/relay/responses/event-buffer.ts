import { setTimeout as pause } from 'node:timers/promises';
import type { BufferedEvent, SharedEvents } from '../../ports/shared-events.ts';

export interface EventBufferLimits {
  /** Of all answers of this process, in characters. */
  readonly mostInAll: number;
  readonly mostOfOne: number;
  /** How long events are kept once there are no more to come. */
  readonly keptMs: number;
  /** Between two looks at what another process has shared. */
  readonly pollMs: number;
  /** How long nothing may be found of an answer that is being made elsewhere. */
  readonly graceMs: number;
  /** After so long without an event the reader is told that there is somebody. */
  readonly heartbeatMs: number;
}

export const EVENT_BUFFER_LIMITS: EventBufferLimits = {
  mostInAll: 64 * 1024 * 1024,
  mostOfOne: 8 * 1024 * 1024,
  keptMs: 600_000,
  pollMs: 100,
  graceMs: 10_000,
  heartbeatMs: 15_000,
};

/** Between two tries to share what could not be shared, and how many there are before it is given up. */
const RETRY_MS = 200;
const RETRIES = 150;

interface Entry {
  readonly events: BufferedEvent[];
  size: number;
  endedAt: number | null;
  /** Too large to be kept. */
  isLost: boolean;
  readonly waiting: Set<() => void>;
  readonly sharing: Sharing | null;
}

/** `lost`: what comes next is not to be had any more. `alive`: nothing has come for a while. */
export type Resumed = BufferedEvent | 'alive' | 'lost';

/** Shares events with other processes, in order, many at once where they come fast. */
class Sharing {
  readonly #shared: SharedEvents;
  readonly #id: string;
  readonly #most: number;
  #pending: BufferedEvent[] = [];
  #size = 0;
  #isBusy = false;
  #isStopped = false;

  constructor(shared: SharedEvents, id: string, most: number) {
    this.#shared = shared;
    this.#id = id;
    this.#most = most;
  }

  /** Nothing more is shared. */
  stop(): void {
    this.#isStopped = true;
    this.#drop();
  }

  add(event: BufferedEvent): void {
    if (this.#isStopped) return;
    this.#pending.push(event);
    this.#size += event.text.length;
    // Whoever reads elsewhere finds a gap, and says so.
    if (this.#size > this.#most) this.#drop();
    if (!this.#isBusy) void this.#send();
  }

  #drop(): void {
    this.#pending = [];
    this.#size = 0;
  }

  async #send(): Promise<void> {
    this.#isBusy = true;
    for (let failures = 0; this.#pending.length > 0;) {
      const events = this.#pending;
      this.#drop();
      if (await this.#shared.append(this.#id, events)) {
        failures = 0;
        continue;
      }
      if (++failures > RETRIES || this.#isStopped) break;
      this.#pending = [...events, ...this.#pending];
      this.#size = this.#pending.reduce((sum, { text }) => sum + text.length, 0);
      await pause(RETRY_MS, undefined, { ref: false });
    }
    this.#isBusy = false;
  }
}

/**
 * Events of answers that are made in the background: for readers who come later, or again, and get exactly what they have not had. In the
 * memory of the process that makes an answer, within bounds; and where there is a place to share them, there too.
 */
export class EventBuffer {
  readonly #shared: SharedEvents | null;
  readonly #limits: EventBufferLimits;
  readonly #now: () => number;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  #size = 0;

  constructor(shared: SharedEvents | null, limits: EventBufferLimits, now: () => number) {
    this.#shared = shared;
    this.#limits = limits;
    this.#now = now;
  }

  /** Where the events of a new answer go. */
  open(id: string): (event: BufferedEvent) => void {
    this.#evict();
    const sharing = this.#shared === null ? null : new Sharing(this.#shared, id, this.#limits.mostOfOne);
    const entry: Entry = { events: [], size: 0, endedAt: null, isLost: false, waiting: new Set(), sharing };
    this.#entries.set(id, entry);
    return (event) => {
      sharing?.add(event);
      this.#put(entry, event);
      for (const wake of entry.waiting) wake();
      if (this.#size > this.#limits.mostInAll) this.#evict();
    };
  }

  /** Nobody is to have them any more. */
  async drop(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    entry?.sharing?.stop();
    if (entry !== undefined) {
      this.#lose(entry);
      this.#entries.delete(id);
    }
    await this.#shared?.drop(id);
  }

  /** Everything behind a number, and what comes while the signal lasts, up to the last. `isOver`: whether nothing more will come. */
  async *read(id: string, after: number, signal: AbortSignal, isOver: () => Promise<boolean>): AsyncGenerator<Resumed> {
    const entry = this.#entries.get(id);
    if (entry !== undefined) yield* this.#readLocal(entry, after, signal);
    else if (this.#shared !== null) yield* this.#readShared(this.#shared, id, after, signal, isOver);
    else yield 'lost';
  }

  async *#readLocal(entry: Entry, after: number, signal: AbortSignal): AsyncGenerator<Resumed> {
    for (let at = after + 1; !signal.aborted;) {
      if (entry.isLost) {
        yield 'lost';
        return;
      }
      const event = entry.events[at];
      if (event !== undefined) {
        yield event;
        if (event.isLast) return;
        at++;
      } else if (entry.endedAt !== null) return;
      else if (!(await this.#news(entry, signal))) yield 'alive';
    }
  }

  /** Whether there is news of an entry before a sign of life is due. */
  #news(entry: Entry, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isNews: boolean) => (): void => {
        clearTimeout(timer);
        entry.waiting.delete(wake);
        signal.removeEventListener('abort', stop);
        resolve(isNews);
      };
      const wake = settle(true);
      const stop = settle(true);
      const timer = setTimeout(settle(false), this.#limits.heartbeatMs);
      entry.waiting.add(wake);
      signal.addEventListener('abort', stop);
    });
  }

  async *#readShared(
    shared: SharedEvents,
    id: string,
    after: number,
    signal: AbortSignal,
    isOver: () => Promise<boolean>,
  ): AsyncGenerator<Resumed> {
    const { pollMs, graceMs, heartbeatMs } = this.#limits;
    let next = after + 1;
    let newsAt = this.#now();
    let saidAt = newsAt;
    let isLastLook = false;
    while (!signal.aborted) {
      const found = await shared.after(id, next - 1);
      const now = this.#now();
      for (const event of Array.isArray(found) ? (found as readonly BufferedEvent[]) : []) {
        if (event.number !== next) {
          yield 'lost';
          return;
        }
        yield event;
        if (event.isLast) return;
        next++;
        newsAt = saidAt = now;
      }
      if (Array.isArray(found) && found.length > 0) continue;
      // What is over, and has nothing new here, has lost its end. Its last event comes before that is known, so it is looked once more.
      if (isLastLook || (!Array.isArray(found) && now - newsAt > graceMs)) {
        yield 'lost';
        return;
      }
      if (found === 'unknown' || now - newsAt > graceMs / 5) isLastLook = await isOver();
      if (now - saidAt > heartbeatMs) {
        saidAt = now;
        yield 'alive';
      }
      await pause(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #put(entry: Entry, event: BufferedEvent): void {
    if (event.isLast) entry.endedAt = this.#now();
    if (entry.isLost) return;
    entry.events.push(event);
    entry.size += event.text.length;
    this.#size += event.text.length;
    if (entry.size > this.#limits.mostOfOne) this.#lose(entry);
  }

  #lose(entry: Entry): void {
    this.#size -= entry.size;
    entry.size = 0;
    entry.events.length = 0;
    entry.isLost = true;
    for (const wake of entry.waiting) wake();
  }

  #evict(): void {
    const now = this.#now();
    for (const [id, entry] of this.#entries) {
      if (entry.endedAt !== null && (now - entry.endedAt > this.#limits.keptMs || this.#size > this.#limits.mostInAll)) {
        this.#size -= entry.size;
        this.#entries.delete(id);
      } else if (this.#size > this.#limits.mostInAll) this.#lose(entry);
    }
  }
}
