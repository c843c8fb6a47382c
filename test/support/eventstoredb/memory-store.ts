import { EventEmitter } from 'node:events';
import type { RecordFile } from './record-file.ts';
import type { StoreRecord } from './store-record.ts';

export interface ProposedRecord {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export type Expected = number | 'no_stream' | 'stream_exists' | 'any';

export type WriteResult =
  | { readonly result: 'written' | 'idempotent'; readonly revision: number; readonly position: bigint }
  | { readonly result: 'wrong_expected_version'; readonly current: number | 'no_stream' };

/** How many ids are remembered for appends with `any`; a real server keeps more, but no more for ever. */
const RECENT_IDS = 10_000;
/** A record's own bytes beside its bodies. */
const OVERHEAD = 117;
/** An event of the store itself comes before every so-many-th write, as statistics would. */
const STATISTICS_EVERY = 29;

const sizeOf = ({ stream, data, metadata }: Pick<StoreRecord, 'stream' | 'data' | 'metadata'>): bigint =>
  BigInt(OVERHEAD + stream.length + data.length + metadata.length);

/** What the nodes of one cluster share: events at byte offsets of a log, with the store's own among them, and EventStoreDB's rules for appends. */
export class MemoryStore {
  readonly changes = new EventEmitter();
  readonly #all: StoreRecord[] = [];
  readonly #streams = new Map<string, StoreRecord[]>();
  readonly #recent = new Map<string, StoreRecord>();
  readonly #file: RecordFile | undefined;
  #offset = 0n;
  #writes = 0;

  /** With a file, begins with what is there and outlives its process; of the ids that were remembered beside the streams nothing does. */
  constructor(file?: RecordFile) {
    this.changes.setMaxListeners(0);
    this.#file = file;
    for (const record of file?.records ?? []) this.#take(record);
    if (this.#all.length > 0) return;
    this.#append('$epoch-information', [
      { id: crypto.randomUUID(), type: '$epoch', contentType: 'application/json', data: Buffer.from('{}'), metadata: new Uint8Array() },
    ]);
  }

  get all(): readonly StoreRecord[] {
    return this.#all;
  }

  stream(name: string): readonly StoreRecord[] {
    return this.#streams.get(name) ?? [];
  }

  /** Index of the record at a position, or -1: only an event's own position is a place to read from. */
  indexAt(position: bigint): number {
    const index = this.indexFrom(position);
    return this.#all[index]?.position === position ? index : -1;
  }

  /** Index of the first record at or after a position. */
  indexFrom(position: bigint): number {
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#all[middle] as StoreRecord).position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #append(name: string, events: readonly ProposedRecord[]): StoreRecord {
    const createdMs = Date.now();
    let revision = this.stream(name).length;
    let position = this.#offset;
    const records = events.map((event): StoreRecord => {
      const record = { ...event, position, stream: name, revision, createdMs };
      revision += 1;
      position += sizeOf(record);
      return record;
    });
    this.#file?.append(records);
    for (const record of records) {
      this.#take(record);
      this.#recent.set(`${name}/${record.id}`, record);
    }
    while (this.#recent.size > RECENT_IDS) this.#recent.delete(this.#recent.keys().next().value as string);
    return records.at(-1) as StoreRecord;
  }

  #take(record: StoreRecord): void {
    const stream = this.#streams.get(record.stream) ?? [];
    this.#streams.set(record.stream, stream);
    stream.push(record);
    this.#all.push(record);
    this.#offset = record.position + sizeOf(record);
  }

  /** `idempotent` when the ids lie right behind the expected revision, or, with `any` and `stream_exists`, among those lately written. */
  write(name: string, expected: Expected, events: readonly ProposedRecord[]): WriteResult {
    const stream = this.#streams.get(name) ?? [];
    const end = stream.length - 1;
    const current = end < 0 ? 'no_stream' : end;
    const wrong: WriteResult = { result: 'wrong_expected_version', current };
    const idempotent = (first: number): WriteResult => {
      const there = events.map(({ id }, i) => stream[first + i]?.id === id);
      const last = stream[first + events.length - 1];
      if (last === undefined || !there.every(Boolean)) return wrong;
      return { result: 'idempotent', revision: last.revision, position: last.position };
    };
    if (expected === 'any' || expected === 'stream_exists') {
      if (expected === 'stream_exists' && end < 0) return wrong;
      const known = this.#recent.get(`${name}/${events[0]?.id ?? ''}`);
      if (known !== undefined) return idempotent(known.revision);
    } else {
      const at = expected === 'no_stream' ? -1 : expected;
      if (at > end) return wrong;
      if (at < end) return idempotent(at + 1);
    }
    this.#writes += 1;
    if (this.#writes % STATISTICS_EVERY === 0) {
      this.#append('$stats-127.0.0.1:2113', [
        {
          id: crypto.randomUUID(),
          type: '$statsCollected',
          contentType: 'application/json',
          data: Buffer.from('{"sys":1}'),
          metadata: new Uint8Array(),
        },
      ]);
    }
    const last = this.#append(name, events);
    this.changes.emit('grown');
    return { result: 'written', revision: last.revision, position: last.position };
  }

  /** Whatever was remembered of ids beside the streams is gone, as after a restart. */
  forgetRecent(): void {
    this.#recent.clear();
  }

  /** Takes away the newest records, as restoring an old backup would. */
  truncate(count: number): void {
    for (const { stream: name } of this.#all.splice(this.#all.length - count)) this.#streams.get(name)?.pop();
    this.#recent.clear();
  }
}
