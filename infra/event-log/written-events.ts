import type { AppendOutcome } from '../../commands/ports/event-log.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { PreparedAppend, PreparedEvent } from './prepare-append.ts';
import type { StoredEvent } from './stored-event.ts';

/** Longest UTF-8 form of one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** Most bytes of bodies that are written together. */
const MOST_TOGETHER = 1_048_576;

/** Where bodies are written until it is known how many bytes they have. */
const scratch = Buffer.allocUnsafeSlow(MOST_TOGETHER);

/** Texts as bytes, which lie outside V8's heap. */
interface Bodies {
  readonly bytes: Buffer;
  /** `latin1` where each byte is a character: that is read several times faster. */
  readonly encoding: 'latin1' | 'utf8';
}

type Place = Pick<StoredEvent, 'position' | 'stream' | 'revision' | 'recordedAt'>;

/**
 * An event as its writer has it. It is kept for a thousand calls and its bodies are looked at by few: as texts they would be copied about, and
 * have to be found again and again among all that is alive, which costs more than to make them anew for whoever does look.
 */
export class WrittenEvent implements StoredEvent {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly recordedAt: string;
  readonly #bodies: Bodies;
  readonly #from: number;
  readonly #middle: number;
  readonly #to: number;

  constructor(
    { position, stream, revision, recordedAt }: Place,
    event: PreparedEvent,
    bodies: Bodies,
    from: number,
    middle: number,
    to: number,
  ) {
    this.position = position;
    this.stream = stream;
    this.revision = revision;
    this.eventId = event.eventId;
    this.type = event.type;
    this.schemaVersion = event.schemaVersion;
    this.recordedAt = recordedAt;
    this.#bodies = bodies;
    this.#from = from;
    this.#middle = middle;
    this.#to = to;
  }

  /** Of both bodies. */
  get bytes(): number {
    return this.#to - this.#from;
  }

  get data(): string {
    return this.#bodies.bytes.toString(this.#bodies.encoding, this.#from, this.#middle);
  }

  get metadata(): string {
    return this.#bodies.bytes.toString(this.#bodies.encoding, this.#middle, this.#to);
  }
}

type Appended = Extract<AppendOutcome, { outcome: 'appended' }>;

/** The events of one append, behind those that came before. */
const keep = ({ stream, events }: PreparedAppend, { position, revision }: Appended, recordedAt: string, kept: WrittenEvent[]): void => {
  let units = 0;
  for (const { data, metadata } of events) units += data.length + metadata.length;
  const most = units * MAX_BYTES_PER_UNIT;
  const room = most <= scratch.length ? scratch : Buffer.allocUnsafeSlow(most);
  const ends: number[] = [];
  let size = 0;
  for (const { data, metadata } of events) {
    size += room.write(data, size);
    ends.push(size);
    size += room.write(metadata, size);
    ends.push(size);
  }
  const bodies: Bodies = { bytes: Buffer.from(room.subarray(0, size)), encoding: size === units ? 'latin1' : 'utf8' };
  let from = 0;
  for (let i = 0; i < events.length; i++) {
    const toEnd = events.length - 1 - i;
    const place = { position: (position - BigInt(toEnd)) as Position, stream, revision: revision - toEnd, recordedAt };
    const [middle, to] = [ends[2 * i] as number, ends[2 * i + 1] as number];
    kept.push(new WrittenEvent(place, events[i] as PreparedEvent, bodies, from, middle, to));
    from = to;
  }
};

/** The events that a call has just written, in order of position, as a reader of the log would find them. Repeats wrote nothing. */
export const writtenEvents = (
  appends: readonly PreparedAppend[],
  outcomes: readonly AppendOutcome[],
  recordedAt: string,
): readonly WrittenEvent[] => {
  const kept: WrittenEvent[] = [];
  appends.forEach((append, i) => {
    const outcome = outcomes[i];
    if (outcome?.outcome === 'appended' && !outcome.repeated) keep(append, outcome, recordedAt, kept);
  });
  return kept;
};

/** The position after a call, or `undefined` when it wrote nothing. */
export const lastWritten = (outcomes: readonly AppendOutcome[]): Position | undefined => {
  for (let i = outcomes.length - 1; i >= 0; i--) {
    const outcome = outcomes[i];
    if (outcome?.outcome === 'appended' && !outcome.repeated) return outcome.position;
  }
  return undefined;
};
