import { doWork } from './do-work.ts';
import { followLog } from './follow-log.ts';
import { followRecords } from './follow-records.ts';
import { Bell, persist } from './waiting.ts';
import { migrateWork } from './work-schema.ts';
import { ensureCheckpoint, readCheckpoints } from './worker-checkpoint.ts';
import { workerStart } from './worker-start.ts';
import { DEFAULT_WORKERS_POLICY, type WorkerRun, type WorkersDeps } from './workers-deps.ts';

const runWorker = async (run: WorkerRun, signal: AbortSignal): Promise<void> => {
  const { worker, feed, database, clock, policy } = run;
  const start = await workerStart({ ...run, head: () => feed.head(), now: () => clock.now() }, worker);
  await ensureCheckpoint(database, worker.name, start);
  // What was done while the log was followed is not done again.
  const reached = (await readCheckpoints(database)).find((place) => place.worker === worker.name)?.position ?? start;
  const bell = new Bell();
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  try {
    await Promise.all([
      run.kafka === undefined || run.kafka === null
        ? followLog(run, start, bell, until)
        : followRecords(run, run.kafka, reached, bell, until),
      ...Array.from({ length: worker.keepsOrder === true ? 1 : policy.atOnce }, () => doWork(run, bell, until)),
    ]);
  } finally {
    stop.abort();
  }
};

/**
 * Runs workers until the signal aborts, and resolves when what they had in hand is put down. In any number of processes at once: one of them
 * follows the log for a worker, all of them do what is due again or takes long.
 */
export const runWorkers = async (deps: WorkersDeps, signal: AbortSignal): Promise<void> => {
  const { workers, policy, report = () => undefined, counted = () => undefined, ...rest } = deps;
  const whole = { ...DEFAULT_WORKERS_POLICY, ...policy };
  const { longestPauseMs } = whole;
  await Promise.all(
    workers.map((worker) =>
      persist(
        async () => {
          await deps.database.transaction(migrateWork);
          await runWorker({ ...rest, worker, policy: whole, report, counted }, signal);
        },
        { longestPauseMs, failed: (error) => report({ kind: 'interrupted', worker: worker.name, error }) },
        signal,
      ),
    ),
  );
};
