import type { TopicPartition } from '../../projections/ports/records.ts';

/** One partition in the hands of this member, for one membership. */
export class PartitionSlot implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** Where reading goes on, once that was asked for and answered. */
  next: bigint | null = null;
  /** Aborts when the partition is taken away or the consumer is to end. */
  readonly over = new AbortController();
  #waiting: NodeJS.Timeout | undefined;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  get resting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Calls back after a time, unless the partition is taken away before. */
  rest(ms: number, over: () => void): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      over();
    }, ms);
  }

  release(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    this.over.abort();
  }
}

export const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
