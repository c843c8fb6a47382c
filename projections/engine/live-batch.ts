import { setImmediate as otherWork } from 'node:timers/promises';
import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { DECODED_AT_ONCE } from './batch.ts';
import type { Destination } from './checkpoint.ts';
import { decodeForProjection } from './event-decoding.ts';
import { gatherFor, type Gathered, type Target } from './gathered.ts';
import { insertParked, type NewlyParked } from './parked-events.ts';

/** A build that is kept current, and the streams that it may not be given events of. */
export interface LiveTarget extends Target {
  readonly blocked: ReadonlySet<string>;
}

interface Part {
  readonly target: LiveTarget;
  readonly gathered: Gathered;
  readonly waiting: NewlyParked[];
}

/**
 * What events do to several builds, gathered as they come in. The events themselves are let go of: under load hundreds of milliseconds of them
 * wait for the next transaction, and whatever waits so long is copied about and at last has to be looked for among all that is alive. What
 * cannot be written as it was gathered is read again from the log.
 */
export class LiveBatch {
  /** Nothing at or before it is in the batch. */
  readonly after: Position;
  readonly #parts: readonly Part[];
  readonly #byType = new Map<string, Part[]>();
  #length = 0;
  #event: Destination['event'] = null;
  #isFit = true;

  constructor(targets: readonly LiveTarget[], after: Position) {
    this.after = after;
    this.#parts = targets.map((target) => ({ target, gathered: gatherFor(target), waiting: [] }));
    for (const part of this.#parts)
      for (const type of part.target.projection.types) {
        const parts = this.#byType.get(type);
        if (parts === undefined) this.#byType.set(type, [part]);
        else parts.push(part);
      }
  }

  /** How many events were added. */
  get length(): number {
    return this.#length;
  }

  /** The last of them. */
  get event(): Destination['event'] {
    return this.#event;
  }

  /** Whether {@link write} is worth a try: nothing has been found that cannot be applied. */
  get isFit(): boolean {
    return this.#isFit;
  }

  /** In log order. */
  async add(events: readonly RecordedEvent[]): Promise<void> {
    for (const [index, event] of events.entries()) {
      if (index > 0 && index % DECODED_AT_ONCE === 0) await otherWork();
      this.#add(event);
    }
    const last = events.at(-1);
    if (last !== undefined) this.#event = { position: last.position, eventId: last.eventId };
    this.#length += events.length;
  }

  async write(tx: Sql): Promise<void> {
    for (const { target, gathered, waiting } of this.#parts) {
      await gathered.write(tx);
      await insertParked(tx, target.projection, waiting);
    }
  }

  #add(recorded: RecordedEvent): void {
    const parts = this.#byType.get(recorded.type);
    if (parts === undefined || !this.#isFit) return;
    const decoding = decodeForProjection(recorded);
    if (decoding.outcome === 'unknown') return;
    for (const { target, gathered, waiting } of parts) {
      if (target.blocked.has(recorded.stream)) {
        waiting.push({ event: recorded, waiting: true, error: '' });
        continue;
      }
      if (decoding.outcome === 'undecodable') {
        this.#isFit = false;
        return;
      }
      try {
        gathered.add(decoding.event);
      } catch {
        // Which event it is, and what is wrong with it, is found when they are read again.
        this.#isFit = false;
        return;
      }
    }
  }
}
