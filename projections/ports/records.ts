/** What a publisher is given. Records of one key go to one partition and keep their order. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string;
  /** `null` removes what a compacted topic holds under the key. */
  readonly value: Uint8Array | string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What became of a batch.
 * - `published`: every record is on all in-sync replicas, and readers see all of them.
 * - `refused`: readers will never see any of them.
 * - `fenced`: as `refused`; another publisher has taken the transactional id, or Kafka timed the transaction out.
 * - `unknown`: readers will see all of them or none, but not known which. Opening a publisher of the same transactional id settles it.
 */
export type PublishOutcome =
  { readonly outcome: 'published' } | { readonly outcome: 'refused' | 'fenced' | 'unknown'; readonly cause: Error };

/** Writes batches in the order in which they are given. */
export interface RecordPublisher {
  /** One transaction, over any topics. An empty batch is `published`. Calls are served one after another. */
  publish(records: readonly OutgoingRecord[]): Promise<PublishOutcome>;
  close(): Promise<void>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A record as it was read. */
export interface IncomingRecord {
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** When it was written, in milliseconds since the Unix epoch. */
  readonly writtenAt: number;
}

/** Some consecutive records of a partition; at least one. Offsets grow and may be skipped. */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly IncomingRecord[];
  /** Where reading goes on after this batch: what to store with its effects. */
  readonly next: bigint;
}

/** What a partition holds at the moment: from `earliest` up to but not including `end`. */
export interface PartitionRange extends TopicPartition {
  readonly earliest: bigint;
  readonly end: bigint;
}

/** Deliver the rest again from this offset, no sooner than this many milliseconds from now. */
export interface LaterRest {
  readonly from: bigint;
  readonly afterMs: number;
}

/**
 * What a member of a group does with partitions. The group decides only who reads what: nothing of where somebody is, is kept in Kafka.
 *
 * A member that was cut off and does not know it may still hold a batch of a partition that another member reads already. So the effects
 * of a batch must be written in one transaction with a compare-and-set on the stored offset.
 */
export interface PartitionHandler {
  /**
   * These came to this member, perhaps for a second time. Answers where reading is to begin for each of them, within its range; those not
   * named begin at their earliest record. Nothing is delivered before. When it rejects it is asked again.
   */
  assigned(partitions: readonly PartitionRange[]): Promise<readonly (TopicPartition & { readonly offset: bigint })[]>;
  /** These are no longer this member's, or will be assigned to it anew. None of their batches is in hand unless the member was cut off. */
  revoked?(partitions: readonly TopicPartition[]): void;
  /**
   * Takes a batch. One at a time for a partition; those of several partitions run beside each other. The member keeps its place in the
   * group for as long as this takes. `signal` aborts when the partition is wanted elsewhere or the consumer is to end: then finish
   * soon, or reject. A batch whose handling rejected is delivered again after a pause.
   */
  batch(batch: RecordBatch, signal: AbortSignal): Promise<void | LaterRest>;
}

export interface PartitionLag extends TopicPartition {
  /** The next record to be delivered. */
  readonly next: bigint;
  readonly end: bigint;
  /** Offsets between the two; up to one more per transaction than there are records. */
  readonly lag: bigint;
}

/** A member of a consumer group; sees committed transactions only. It ends when its signal aborts, and gets over everything else. */
export interface RecordConsumer {
  /** Stops delivering these until {@link resume}. Those of other members are ignored. */
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** How far behind this member's partitions are. */
  lag(): Promise<readonly PartitionLag[]>;
  /** Resolves when the last batch in hand is over and the group was left. */
  readonly ended: Promise<void>;
}

export interface ConsumeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly handler: PartitionHandler;
  readonly signal: AbortSignal;
  /** How many partitions may have a batch in hand at once; 1 unless given. */
  readonly concurrency?: number;
  /** After how long without a sign of life a member counts as dead, in milliseconds; 20 000 unless given. */
  readonly sessionMs?: number;
}

/** What consumers and workers need of Kafka. */
export interface Records {
  consume(options: ConsumeOptions): RecordConsumer;
  /** `transactionalId`: whoever opens one of the same id fences the one before; a stable name of its own for each process. */
  publisher(transactionalId: string): RecordPublisher;
  /** Every partition of a topic. Rejects while Kafka is away, and when there is no such topic. */
  ranges(topic: string): Promise<readonly PartitionRange[]>;
  /** Creates the topics that are not there yet; those that are, are left as they are. */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  close(): Promise<void>;
}

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  /** Kafka's own names, e.g. `retention.ms`. */
  readonly settings?: Readonly<Record<string, string>>;
}
