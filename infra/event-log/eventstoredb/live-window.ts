import { START } from '../../../schemas/event-envelope.ts';
import type { EventFilter, Position, RecordedEvent } from '../../../schemas/event-envelope.ts';
import type { LogStep } from '../log-step.ts';
import { toRecorded } from '../stored-event.ts';
import type { StoredEvent } from '../stored-event.ts';
import { wants } from '../wanted.ts';

interface Kept {
  readonly stored: StoredEvent;
  readonly bytes: number;
  /** Parsed for the first reader that wants it and shared by the rest. */
  recorded: RecordedEvent | undefined;
}

const LIMITS = { events: 8_192, bytes: 16_777_216 } as const;

/**
 * The newest events of the log as one subscription to all of it brings them, kept for this process's readers.
 *
 * What is kept is everything that lies after {@link since}: whoever has seen the log up to there misses nothing by reading on from here. The
 * positions themselves say nothing of what lies between two of them.
 */
export class LiveWindow {
  readonly #limits: { readonly events: number; readonly bytes: number };
  #kept: Kept[] = [];
  /** How many at the front of `#kept` have been dropped already; cut off in one go once they are many. */
  #dropped = 0;
  #bytes = 0;
  /** `undefined` while there is no subscription: then nothing is known. */
  #since: Position | undefined;
  /** How far the log is known to go, whether that has come or not. */
  #known: Position = START;

  constructor(limits: { readonly events: number; readonly bytes: number } = LIMITS) {
    this.#limits = limits;
  }

  get isOpen(): boolean {
    return this.#since !== undefined;
  }

  /** The log goes at least this far: nobody who has seen less is told that this is all. */
  note(position: Position): void {
    if (position > this.#known) this.#known = position;
  }

  /** Begins anew: what comes from now on is all there is after `since`. */
  open(since: Position): void {
    this.clear();
    this.#since = since;
  }

  clear(): void {
    this.#kept = [];
    this.#dropped = 0;
    this.#bytes = 0;
    this.#since = undefined;
  }

  push(stored: StoredEvent): void {
    if (this.#since === undefined) return;
    const bytes = stored.data.length + stored.metadata.length;
    this.#kept.push({ stored, bytes, recorded: undefined });
    this.#bytes += bytes;
    while (this.#bytes > this.#limits.bytes || this.#kept.length - this.#dropped > this.#limits.events) {
      const oldest = this.#kept[this.#dropped] as Kept;
      this.#since = oldest.stored.position;
      this.#bytes -= oldest.bytes;
      this.#kept[this.#dropped] = undefined as unknown as Kept;
      this.#dropped += 1;
    }
    if (this.#dropped > this.#limits.events) {
      this.#kept.splice(0, this.#dropped);
      this.#dropped = 0;
    }
  }

  /** What lies after a position, when all of it is kept and there is something; else `undefined`, and the store has to be asked. */
  step(after: Position, filter: EventFilter | undefined, limit: number): LogStep | undefined {
    const last = this.#kept.length > this.#dropped ? (this.#kept.at(-1) as Kept).stored.position : undefined;
    if (this.#since === undefined || after < this.#since || last === undefined || after >= last) return undefined;
    let low = this.#dropped;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle] as Kept).stored.position <= after) low = middle + 1;
      else high = middle;
    }
    const isWanted = wants(filter);
    const events: RecordedEvent[] = [];
    let through = after;
    for (let i = low; i < this.#kept.length && events.length < limit; i++) {
      const kept = this.#kept[i] as Kept;
      through = kept.stored.position;
      if (isWanted(kept.stored)) events.push((kept.recorded ??= toRecorded(kept.stored)));
    }
    return { events, through, head: this.#known > last ? this.#known : last };
  }
}
