import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { status } from '@grpc/grpc-js';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { once } from 'node:events';
import type { Faults } from './faults.ts';
import type { MemoryStore } from './memory-store.ts';
import type { StoreRecord } from './store-record.ts';
import {
  caughtUpMessage,
  checkpointMessage,
  confirmationMessage,
  eventMessage,
  fellBehindMessage,
  streamNameOf,
  streamNotFoundMessage,
} from './messages.ts';

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** A reader this far behind is told that it fell behind. */
const FELL_BEHIND = 1_000;

const invalid = (details: string): Error => Object.assign(new Error(details), { code: status.UNKNOWN, details });

const write = async (call: ReadCall, message: ReadResp): Promise<void> => {
  if (call.write(message)) return;
  const gone = new AbortController();
  const stop = (): void => gone.abort();
  call.once('cancelled', stop);
  try {
    if (!call.cancelled) await once(call, 'drain', { signal: gone.signal }).catch(() => undefined);
  } finally {
    call.off('cancelled', stop);
  }
};

const filterOf = (options: ReadReq.Options): ((record: StoreRecord) => boolean) => {
  const filter = options.getFilter();
  if (filter === undefined) return () => true;
  const expression = filter.getEventType() ?? filter.getStreamIdentifier();
  const prefixes = expression?.getPrefixList() ?? [];
  const regex = new RegExp(expression?.getRegex() ?? '');
  const textOf = (record: StoreRecord): string => (filter.hasEventType() ? record.type : record.stream);
  return prefixes.length > 0
    ? (record) => prefixes.some((prefix) => textOf(record).startsWith(prefix))
    : (record) => regex.test(textOf(record));
};

/** Forwards is 0 on the wire, backwards 1. */
const stepOf = (options: ReadReq.Options): 1 | -1 => (Number(options.getReadDirection()) === 0 ? 1 : -1);

/** Where in the log a request begins: forwards at the index, backwards right before it. */
const placeOf = (store: MemoryStore, options: ReadReq.Options): number => {
  const all = options.getAll();
  if (all?.hasStart() === true) return 0;
  if (all?.hasEnd() === true) return store.all.length;
  const index = store.indexAt(BigInt(all?.getPosition()?.getCommitPosition() ?? '0'));
  if (index < 0) throw invalid('The position is not one of a record.');
  return index;
};

const readAll = async (store: MemoryStore, call: ReadCall, options: ReadReq.Options): Promise<void> => {
  const isWanted = filterOf(options);
  const count = Number(options.getCount());
  const step = stepOf(options);
  const place = placeOf(store, options);
  let given = 0;
  for (let i = step > 0 ? place : place - 1; given < count && i >= 0 && i < store.all.length && !call.cancelled; i += step) {
    const record = store.all[i] as StoreRecord;
    if (!isWanted(record)) continue;
    await write(call, eventMessage(record));
    given += 1;
  }
};

const readStream = async (store: MemoryStore, call: ReadCall, options: ReadReq.Options): Promise<void> => {
  const asked = options.getStream();
  const name = streamNameOf(asked?.getStreamIdentifier());
  const records = store.stream(name);
  if (records.length === 0) return write(call, streamNotFoundMessage(name));
  const step = stepOf(options);
  let place = asked?.hasEnd() === true ? records.length - 1 : asked?.hasStart() === true ? 0 : Number(asked?.getRevision());
  if (step < 0) place = Math.min(place, records.length - 1);
  for (let left = Number(options.getCount()); left > 0 && place >= 0 && place < records.length && !call.cancelled; left--, place += step) {
    await write(call, eventMessage(records[place] as StoreRecord));
  }
};

const grown = async (store: MemoryStore, call: ReadCall): Promise<void> => {
  const gone = new AbortController();
  const stop = (): void => gone.abort();
  call.once('cancelled', stop);
  try {
    if (!call.cancelled) await once(store.changes, 'grown', { signal: gone.signal }).catch(() => undefined);
  } finally {
    call.off('cancelled', stop);
  }
};

/** Catches up after a position, says so, and goes on live; a filtered one gives a checkpoint whenever it has passed over a window of events. */
const subscribeToAll = async (store: MemoryStore, call: ReadCall, options: ReadReq.Options, faults: Faults): Promise<void> => {
  const isWanted = filterOf(options);
  const filter = options.getFilter();
  const every = filter === undefined ? Infinity : filter.getCheckpointintervalmultiplier() * (filter.hasMax() ? filter.getMax() : 32);
  let place = placeOf(store, options) + (options.getAll()?.hasPosition() === true ? 1 : 0);
  let passed = 0;
  let isLive = false;
  await write(call, confirmationMessage(crypto.randomUUID()));
  while (!call.cancelled) {
    if (faults.silentSubscriptions) {
      await grown(store, call);
      continue;
    }
    if (isLive && store.all.length - place > FELL_BEHIND) {
      isLive = false;
      await write(call, fellBehindMessage());
    }
    for (; place < store.all.length && !call.cancelled; place++) {
      const record = store.all[place] as StoreRecord;
      passed += 1;
      if (isWanted(record)) await write(call, eventMessage(record));
      if (passed < every) continue;
      passed = 0;
      await write(call, checkpointMessage(record.position));
    }
    if (!isLive) {
      isLive = true;
      await write(call, caughtUpMessage());
    }
    if (place >= store.all.length) await grown(store, call);
  }
};

/** Serves what a read asks for; returns when it is done or the reader has gone. */
export const serveRead = async (store: MemoryStore, call: ReadCall, faults: Faults): Promise<void> => {
  const options = call.request.getOptions();
  if (options === undefined) throw invalid('A read without options.');
  if (options.hasSubscription()) {
    if (!options.hasAll()) throw Object.assign(new Error('Only the whole log is followed here.'), { code: status.UNIMPLEMENTED });
    return subscribeToAll(store, call, options, faults);
  }
  return options.hasStream() ? readStream(store, call, options) : readAll(store, call, options);
};
