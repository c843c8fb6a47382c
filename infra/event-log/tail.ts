import type { EventFilter, Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { LogStep } from './log-step.ts';
import { toRecorded } from './stored-event.ts';
import type { StoredEvent } from './stored-event.ts';
import { wants } from './wanted.ts';

export interface TailEvent extends StoredEvent {
  /** Of its bodies. */
  readonly bytes: number;
}

/** A fraction of a second at full load: readers are close behind, and whoever is not has the store. */
const LIMITS = { events: 2_048, bytes: 4_194_304 } as const;

/**
 * The newest events that this process appended itself, kept so that its own readers need not fetch them back.
 *
 * Why it is safe: the stores give positions without gaps, in commit order. What is kept here always is one run of consecutive
 * positions, each acknowledged as durable. A reader that has everything up to the position before a run's event therefore misses
 * nothing by taking the run from here: there is no number left for an event of another process. Where such an event lies between two
 * of ours the run is broken, the older part is dropped, and readers that still need it go to the store.
 */
export class Tail {
  readonly #limits: { readonly events: number; readonly bytes: number };
  #kept: TailEvent[] = [];
  /** How many at the front of `#kept` have been dropped already; cut off in one go once they are many. */
  #dropped = 0;
  #bytes = 0;

  constructor(limits: { readonly events: number; readonly bytes: number } = LIMITS) {
    this.#limits = limits;
  }

  /** The newest position kept, or `undefined` when nothing is. */
  get last(): Position | undefined {
    return this.#kept.length > this.#dropped ? (this.#kept[this.#kept.length - 1] as TailEvent).position : undefined;
  }

  /** Takes an event that the store has acknowledged. Positions must come in increasing order; older ones are ignored. */
  push(event: TailEvent): void {
    const { last } = this;
    if (last !== undefined) {
      if (event.position <= last) return;
      if (event.position !== last + 1n) this.clear();
    }
    this.#kept.push(event);
    this.#bytes += event.bytes;
    while (this.#bytes > this.#limits.bytes || this.#kept.length - this.#dropped > this.#limits.events) {
      this.#bytes -= (this.#kept[this.#dropped] as TailEvent).bytes;
      this.#kept[this.#dropped] = undefined as unknown as TailEvent;
      this.#dropped += 1;
    }
    if (this.#dropped > this.#limits.events) {
      this.#kept.splice(0, this.#dropped);
      this.#dropped = 0;
    }
  }

  clear(): void {
    this.#kept = [];
    this.#dropped = 0;
    this.#bytes = 0;
  }

  /** What lies after a position, when the run reaches back to it and beyond it; else `undefined`, and the store has to be asked. */
  step(after: Position, filter: EventFilter | undefined, limit: number): LogStep | undefined {
    const { last } = this;
    if (last === undefined || after >= last) return undefined;
    const first = (this.#kept[this.#dropped] as TailEvent).position;
    if (after + 1n < first) return undefined;
    const wanted = wants(filter);
    const events: RecordedEvent[] = [];
    let through = after;
    for (let i = this.#dropped + Number(after + 1n - first); i < this.#kept.length && events.length < limit; i++) {
      const kept = this.#kept[i] as TailEvent;
      through = kept.position;
      // Each reader gets its own: what one parsed would stay here for a thousand calls, which costs more to carry along than the rare second reader to parse.
      if (wanted(kept)) events.push(toRecorded(kept));
    }
    return { events, through, head: last };
  }
}
