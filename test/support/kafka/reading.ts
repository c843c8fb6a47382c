import type { IncomingRecord, PartitionHandler, RecordConsumer, Records, TopicPartition } from '../../../projections/ports/records.ts';

/** Waits until something holds, looking again at each `notify`. */
export class Condition {
  readonly #waiting: (() => void)[] = [];

  notify(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Offsets as a projector keeps them: in one place for all members, changed with the effects. */
export class StoredOffsets {
  readonly #next = new Map<string, bigint>();

  of({ topic, partition }: TopicPartition): bigint | undefined {
    return this.#next.get(`${topic}/${partition}`);
  }

  set({ topic, partition }: TopicPartition, next: bigint): void {
    this.#next.set(`${topic}/${partition}`, next);
  }

  /** What `assigned` answers: where we were, else the beginning. */
  places(partitions: readonly TopicPartition[]): (TopicPartition & { readonly offset: bigint })[] {
    return partitions.flatMap((partition) => {
      const offset = this.of(partition);
      return offset === undefined ? [] : [{ topic: partition.topic, partition: partition.partition, offset }];
    });
  }
}

export type ReadRecord = IncomingRecord & TopicPartition;

/** A member of a group that takes note of what it is given. */
export interface Reader {
  readonly records: ReadRecord[];
  readonly assigned: TopicPartition[][];
  readonly revoked: TopicPartition[][];
  readonly changed: Condition;
  readonly consumer: RecordConsumer;
  stop(): Promise<void>;
}

export interface ReaderOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly offsets?: StoredOffsets;
  readonly concurrency?: number;
  readonly sessionMs?: number;
  /** Done before a batch is noted. */
  readonly batch?: PartitionHandler['batch'];
  readonly assigned?: PartitionHandler['assigned'];
}

export function startReader(records: Records, options: ReaderOptions): Reader {
  const { offsets = new StoredOffsets(), batch, assigned, ...rest } = options;
  const stopping = new AbortController();
  const changed = new Condition();
  const reader = { records: [] as ReadRecord[], assigned: [] as TopicPartition[][], revoked: [] as TopicPartition[][], changed };
  const consumer = records.consume({
    ...rest,
    signal: stopping.signal,
    handler: {
      assigned: (ranges) => {
        reader.assigned.push(ranges.map(({ topic, partition }) => ({ topic, partition })));
        changed.notify();
        return assigned?.(ranges) ?? Promise.resolve(offsets.places(ranges));
      },
      revoked: (partitions) => {
        reader.revoked.push([...partitions]);
        changed.notify();
      },
      batch: async (given, signal) => {
        const later = await batch?.(given, signal);
        const taken = given.records.filter(({ offset }) => later === undefined || offset < later.from);
        reader.records.push(...taken.map((record) => ({ ...record, topic: given.topic, partition: given.partition })));
        offsets.set(given, later?.from ?? given.next);
        changed.notify();
        return later;
      },
    },
  });
  return Object.assign(reader, {
    consumer,
    stop: async () => {
      stopping.abort();
      await consumer.ended;
    },
  });
}
