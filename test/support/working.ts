import type { AnyWorker } from '../../commands/workers/worker.ts';
import type { WorkerRecords } from '../../infra/workers/worker-records.ts';
import { runWorkers } from '../../infra/workers/run-workers.ts';
import type { WorkersPolicy, WorkersReport, WorkOutcome } from '../../infra/workers/workers-deps.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import { wallClock } from './projecting.ts';

/** Delays of milliseconds, so that no test waits for them. */
export const QUICK: Partial<WorkersPolicy> = {
  retry: { firstMs: 5, factor: 2, longestMs: 50, attempts: 3 },
  ownMs: 600,
  standbyMs: 20,
  pollMs: 10,
  claimMs: 600,
  atOnce: 2,
  storeIdleMs: 10,
  longestPauseMs: 50,
};

const LONG_MS = 45_000;

/** Workers at work, for tests. */
export interface Working {
  readonly reports: readonly WorkersReport[];
  /** `worker outcome`, in order. */
  readonly counts: readonly string[];
  /** Resolves once the condition holds; asked after everything that happens here, and now and then. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  stop(): Promise<void>;
}

export const eventually = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + LONG_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it did not come to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

export const startWorking = ({
  log,
  database,
  workers,
  processName = 'one',
  kafka = null,
  policy = {},
}: {
  readonly log: EventLog;
  readonly database: ReadModelDatabase;
  readonly workers: readonly AnyWorker[];
  readonly processName?: string;
  readonly kafka?: WorkerRecords | null;
  readonly policy?: Partial<WorkersPolicy>;
}): Working => {
  const reports: WorkersReport[] = [];
  const counts: string[] = [];
  const abort = new AbortController();
  const running = runWorkers(
    {
      log,
      appender: {
        append: async (append) => {
          const [outcome] = await log.append([append]);
          if (outcome === undefined) throw new Error('the log gave no outcome');
          return outcome;
        },
      },
      feed: log,
      database,
      kafka,
      clock: wallClock,
      workers,
      processName,
      policy: { ...QUICK, ...policy },
      report: (report) => void reports.push(report),
      counted: (worker: string, outcome: WorkOutcome) => void counts.push(`${worker} ${outcome}`),
    },
    abort.signal,
  );
  return {
    reports,
    counts,
    until: (what, holds) =>
      eventually(what, holds).catch((error: unknown) => {
        throw new Error(
          `${String(error)}; ${JSON.stringify(reports, (_key, value: unknown) => (value instanceof Error ? value.stack : value))}`,
        );
      }),
    stop: async () => {
      abort.abort();
      await running;
    },
  };
};
