import type { Position } from '../../../schemas/event-envelope.ts';
import type { Reader } from './reader.ts';

/** Ids kept in all; some 100 bytes each. */
const MOST_IDS = 500_000;

/** Which events one stream holds, from its first to the one at `end`. */
export class KnownStream {
  /** Revision of the last event known; -1 for none. */
  end = -1;
  /** Set while it is possible that events were added without this process knowing. */
  isStale = true;
  readonly #revisions = new Map<string, number>();
  readonly #positions = new Map<number, Position>();

  get size(): number {
    return this.#revisions.size;
  }

  revisionOf(eventId: string): number | undefined {
    return this.#revisions.get(eventId);
  }

  positionAt(revision: number): Position | undefined {
    return this.#positions.get(revision);
  }

  add(eventId: string, revision: number, position: Position | undefined): void {
    this.#revisions.set(eventId, revision);
    if (position !== undefined) this.#positions.set(revision, position);
    this.end = revision;
  }
}

/**
 * The event ids of the streams that are appended to. The store itself finds a repeat only right behind the expected revision, or among the
 * ids it remembers from lately; the log promises to find it wherever in the stream it lies. So a stream is read once, when it is first
 * appended to, and from then on only what was added to it. That a look into memory is enough
 * rests on the exact revision that goes with every append: a stream that others have moved on refuses it.
 */
export class KnownStreams {
  readonly #reader: Pick<Reader, 'places'>;
  readonly #mostIds: number;
  readonly #streams = new Map<string, KnownStream>();
  #ids = 0;

  constructor(reader: Pick<Reader, 'places'>, mostIds: number = MOST_IDS) {
    this.#reader = reader;
    this.#mostIds = mostIds;
  }

  /** The stream as far as it is known, most recently used last. */
  of(name: string): KnownStream {
    const known = this.#streams.get(name) ?? new KnownStream();
    this.#streams.delete(name);
    this.#streams.set(name, known);
    return known;
  }

  /** Reads what was added since. */
  async refresh(name: string): Promise<KnownStream> {
    const known = this.of(name);
    const before = known.size;
    try {
      for await (const { eventId, revision, position } of this.#reader.places(name, known.end + 1)) known.add(eventId, revision, position);
      known.isStale = false;
    } finally {
      this.#ids += known.size - before;
    }
    return known;
  }

  /** Takes what the store has acknowledged. */
  add(name: string, eventIds: readonly string[], revision: number, position: Position): void {
    const known = this.of(name);
    const first = revision - eventIds.length + 1;
    if (known.end !== first - 1) {
      known.isStale = true;
      return;
    }
    eventIds.forEach((eventId, i) => known.add(eventId, first + i, i === eventIds.length - 1 ? position : undefined));
    this.#ids += eventIds.length;
  }

  /** Forgets the streams that were not used for longest. To be called between batches only. */
  trim(): void {
    for (const [name, known] of this.#streams) {
      if (this.#ids <= this.#mostIds) return;
      this.#streams.delete(name);
      this.#ids -= known.size;
    }
  }
}
