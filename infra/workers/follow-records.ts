import { delayAfter } from '../../commands/workers/retry-policy.ts';
import { partitionOf } from '../../projections/engine/stream-partition.ts';
import type { IncomingRecord, LaterRest, PartitionRange, RecordBatch } from '../../projections/ports/records.ts';
import { START, type Position, type RecordedEvent } from '../../schemas/event-envelope.ts';
import { fromEventRecord, toEventRecord } from '../../schemas/event-record.ts';
import { attemptWork } from './attempt.ts';
import type { Bell } from './waiting.ts';
import { busyStreams, insertWork, type NewWork } from './work-table.ts';
import { beginOffset, moveOffset, readOffsets, type WorkerOffset } from './worker-offsets.ts';
import type { WorkerRecords } from './worker-records.ts';
import type { WorkerRun } from './workers-deps.ts';

/** Enough to share retries among processes; there are few of them. */
const RETRY_PARTITIONS = 3;

const NOT_BEFORE = 'not-before';
const ATTEMPTS = 'attempts';

const eventIn = ({ value }: IncomingRecord): RecordedEvent => fromEventRecord(value?.toString('utf8') ?? '');

/**
 * Works on events out of Kafka, as a member of the worker's group, until the signal aborts. What fails goes through topics of one delay each, and
 * into the table once it is parked. How far each partition is, is in the database, so that a table of work and an offset move together; what Kafka
 * does not have, because it was never there or is there no longer, is taken from the log.
 */
export const followRecords = async (
  run: WorkerRun,
  { records, events, prefix }: WorkerRecords,
  start: Position,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> => {
  const { worker, feed, database, clock, policy, processName, counted, report } = run;
  const name = `${prefix}worker.${worker.name}`;
  const wanted: ReadonlySet<string> = new Set(worker.types);
  /** The nth holds what failed n times. Order, and what takes long, are the table’s. */
  const inTable = worker.keepsOrder === true || worker.takesLong === true;
  const retries = inTable ? [] : Array.from({ length: policy.retry.attempts - 1 }, (_, index) => `${name}.retry.${index + 1}`);
  await records.ensureTopics(
    retries.map((topic) => ({ topic, partitions: RETRY_PARTITIONS, settings: { 'cleanup.policy': 'delete', 'retention.ms': '-1' } })),
  );
  const publisher = records.publisher(`${name}.${processName}`);
  const offsets = new Map<string, WorkerOffset>();
  const keyOf = (topic: string, partition: number): string => `${topic} ${partition}`;

  const failed = (event: RecordedEvent, attempts: number, error: string, delayMs: number | null): void => {
    counted(worker.name, delayMs === null ? 'parked' : 'failed');
    report({ kind: 'failed', worker: worker.name, stream: event.stream, type: event.type, attempts, parked: delayMs === null, error });
  };

  /** One attempt. What is to be done later goes to the topic of its delay, or is answered, for the table. */
  const take = async (event: RecordedEvent, attempt: number, until: AbortSignal, throughTopics: boolean): Promise<NewWork | null> => {
    if (worker.takesLong === true) return { event, attempts: 0, delayMs: 0, error: null };
    const isLast = attempt >= policy.retry.attempts;
    const error = await attemptWork(worker, event, { attempt, isLast, signal: until, progress: () => undefined });
    if (error === null) {
      counted(worker.name, 'done');
      return null;
    }
    const delayMs = delayAfter(attempt, policy.retry);
    failed(event, attempt, error, delayMs);
    const topic = retries[attempt - 1];
    if (!throughTopics || delayMs === null || topic === undefined) return { event, attempts: attempt, delayMs, error };
    const { key, value, headers } = toEventRecord(event);
    const { outcome } = await publisher.publish([
      { topic, key, value, headers: { ...headers, [NOT_BEFORE]: String(clock.now() + delayMs), [ATTEMPTS]: String(attempt) } },
    ]);
    // Kafka that takes nothing at the moment must not keep the rest from being done; a record that came through all the same is a repeat.
    return outcome === 'published' ? null : { event, attempts: attempt, delayMs, error };
  };

  /** Everything of a partition's streams that lies after a position of the log, from the log. */
  const fromLog = async (partition: number, partitions: number, after: Position): Promise<Position> => {
    const head = await feed.head();
    for await (const event of feed.readAll({ after, upTo: head, filter: { types: worker.types } })) {
      if (signal.aborted) throw new Error('told to stop');
      if (partitionOf(event.stream, partitions) !== partition) continue;
      const later = await take(event, 1, signal, false);
      if (later !== null) await insertWork(database, worker.name, [later]);
    }
    return head > after ? head : after;
  };

  const assigned = async (ranges: readonly PartitionRange[]): Promise<readonly { topic: string; partition: number; offset: bigint }[]> => {
    const places = [];
    for (const { topic, partition, earliest, end } of ranges) {
      const stored = (await readOffsets(database, worker.name, topic)).get(partition);
      let offset = stored;
      if (offset === undefined || offset.next < earliest || offset.next > end) {
        const partitions = topic === events ? (await records.ranges(events)).length : 0;
        const position = topic === events ? await fromLog(partition, partitions, stored?.position ?? start) : START;
        offset = { partition, next: earliest, position };
        await beginOffset(database, worker.name, topic, offset);
      }
      offsets.set(keyOf(topic, partition), offset);
      places.push({ topic, partition, offset: offset.next });
    }
    return places;
  };

  const store = async (topic: string, from: WorkerOffset, to: WorkerOffset, later: readonly NewWork[]): Promise<void> => {
    await database.transaction(async (tx) => {
      await moveOffset(tx, worker.name, topic, from.next, to);
      await insertWork(tx, worker.name, later);
    });
    offsets.set(keyOf(topic, to.partition), to);
    if (later.length > 0) bell.ring();
  };

  const retryBatch = async ({ topic, partition, records: batch, next }: RecordBatch, until: AbortSignal): Promise<void | LaterRest> => {
    let place = offsets.get(keyOf(topic, partition));
    if (place === undefined) throw new Error(`nobody has said where to begin in ${topic}[${partition}]`);
    for (const record of batch) {
      const waitMs = Number(record.headers[NOT_BEFORE] ?? 0) - clock.now();
      // One delay for a topic: what is not due yet stands in front of nothing that is.
      if (waitMs > 0) return { from: record.offset, afterMs: waitMs };
      const later = await take(eventIn(record), Number(record.headers[ATTEMPTS] ?? 1) + 1, until, true);
      const after: WorkerOffset = { partition, next: record.offset + 1n, position: START };
      await store(topic, place, after, later === null ? [] : [later]);
      place = after;
    }
    if (next > place.next) await store(topic, place, { ...place, next }, []);
  };

  const batch = async (given: RecordBatch, until: AbortSignal): Promise<void | LaterRest> => {
    const { topic, partition, records: incoming, next } = given;
    if (topic !== events) return retryBatch(given, until);
    const from = offsets.get(keyOf(topic, partition));
    if (from === undefined) throw new Error(`nobody has said where to begin in ${topic}[${partition}]`);
    const later: NewWork[] = [];
    let { position } = from;
    const found = incoming.map(eventIn).filter((event) => event.position > from.position);
    const busy = new Set(
      worker.keepsOrder === true ? await busyStreams(database, worker.name, [...new Set(found.map(({ stream }) => stream))]) : [],
    );
    for (const event of found) {
      position = event.position;
      if (!wanted.has(event.type)) continue;
      const work = busy.has(event.stream) ? { event, attempts: 0, delayMs: 0, error: null } : await take(event, 1, until, true);
      if (work === null) continue;
      later.push(work);
      if (worker.keepsOrder === true) busy.add(event.stream);
    }
    await store(topic, from, { partition, next, position }, later);
  };

  const consumer = records.consume({ group: name, topics: [events, ...retries], handler: { assigned, batch }, signal });
  await consumer.ended;
  await publisher.close();
};
