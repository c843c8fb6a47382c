import type { CommandLog } from '../../commands/command-log.ts';
import type { AnyWorker } from '../../commands/workers/worker.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '../../commands/workers/retry-policy.ts';
import type { Clock } from '../../projections/ports/clock.ts';
import type { EventFeed } from '../../projections/ports/event-feed.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';

import type { WorkerRecords } from './worker-records.ts';

/** Times in milliseconds. */
export interface WorkersPolicy {
  readonly retry: RetryPolicy;
  /** How long a process that is not heard of keeps the right to follow the log for a worker. */
  readonly ownMs: number;
  /** How often a process that stands by asks for that right. */
  readonly standbyMs: number;
  /** How often it is looked for work that is due. */
  readonly pollMs: number;
  /** How long a process that is not heard of keeps a piece of work. */
  readonly claimMs: number;
  /** Pieces of work of one worker that one process has in hand at once, beside what it follows. */
  readonly atOnce: number;
  /** A position that moved without events is stored after this long. */
  readonly storeIdleMs: number;
  /** Longest pause while the log or the database is away. */
  readonly longestPauseMs: number;
}

export const DEFAULT_WORKERS_POLICY: WorkersPolicy = {
  retry: DEFAULT_RETRY_POLICY,
  ownMs: 10_000,
  standbyMs: 1_000,
  pollMs: 1_000,
  claimMs: 30_000,
  atOnce: 2,
  storeIdleMs: 2_000,
  longestPauseMs: 5_000,
};

export type WorkersReport =
  /** The log or the database is away, or another process took over; it goes on by itself. */
  | { readonly kind: 'interrupted'; readonly worker: string; readonly error: Error }
  /** `parked`: it is not tried again by itself. */
  | {
      readonly kind: 'failed';
      readonly worker: string;
      readonly stream: string;
      readonly type: string;
      readonly attempts: number;
      readonly parked: boolean;
      readonly error: string;
    };

export type WorkOutcome = 'done' | 'failed' | 'parked';

export interface WorkersDeps extends CommandLog {
  readonly workers: readonly AnyWorker[];
  readonly feed: EventFeed;
  readonly database: ReadModelDatabase;
  /** Where Kafka is configured: workers are consumer groups there. Otherwise they follow the log. */
  readonly kafka?: WorkerRecords | null;
  readonly clock: Clock;
  /** Names this process. */
  readonly processName: string;
  readonly policy?: Partial<WorkersPolicy>;
  readonly report?: (report: WorkersReport) => void;
  /** Told of every attempt. */
  readonly counted?: (worker: string, outcome: WorkOutcome) => void;
}

/** What one worker's loops share. */
export interface WorkerRun extends Omit<WorkersDeps, 'workers' | 'policy' | 'report' | 'counted'> {
  readonly worker: AnyWorker;
  readonly policy: WorkersPolicy;
  readonly report: (report: WorkersReport) => void;
  readonly counted: (worker: string, outcome: WorkOutcome) => void;
}
