import { delayAfter } from '../../commands/workers/retry-policy.ts';
import { attemptWork, WorkInterrupted } from './attempt.ts';
import { persist, type Bell } from './waiting.ts';
import { claimWork, failWork, finishWork, releaseWork, renewClaim, showProgress, type ClaimedWork } from './work-table.ts';
import type { WorkerRun } from './workers-deps.ts';

const KILLED = 'every process that worked on it ended before it was done';

/** How often at most it is written down how far a piece of work is. */
const PROGRESS_MS = 500;

/** Written down now and then, by nobody waited for: a figure for people that may be lost. */
const progressOf = ({ database, clock }: WorkerRun, work: ClaimedWork): ((done: number, total: number | null) => void) => {
  let shownAt = clock.now();
  return (done, total) => {
    if (clock.now() - shownAt < PROGRESS_MS) return;
    shownAt = clock.now();
    showProgress(database, work, done, total).catch(() => undefined);
  };
};

/** One attempt at one piece of work out of the table. */
const attemptClaimed = async (run: WorkerRun, work: ClaimedWork, signal: AbortSignal): Promise<void> => {
  const { worker, database, policy, counted, report } = run;
  const { event, attempts } = work;
  const fail = async (error: string, delayMs: number | null): Promise<void> => {
    await failWork(database, work, error, delayMs);
    const parked = delayMs === null;
    counted(worker.name, parked ? 'parked' : 'failed');
    report({ kind: 'failed', worker: worker.name, stream: event.stream, type: event.type, attempts, parked, error });
  };
  if (attempts > policy.retry.attempts) return fail(KILLED, null);

  const letGo = new AbortController();
  const until = AbortSignal.any([signal, letGo.signal]);
  const keeping = setInterval(() => {
    // A database that is away for a moment is no reason to let go; one that says that somebody else has it is.
    renewClaim(database, work, policy.claimMs).then(
      (ours) => {
        if (!ours) letGo.abort();
      },
      () => undefined,
    );
  }, policy.claimMs / 3);
  try {
    const error = await attemptWork(worker, event, {
      attempt: attempts,
      isLast: attempts >= policy.retry.attempts,
      signal: until,
      progress: progressOf(run, work),
    });
    if (error !== null) return await fail(error, delayAfter(attempts, policy.retry));
    await finishWork(database, work);
    counted(worker.name, 'done');
  } catch (error) {
    if (error instanceof WorkInterrupted) await releaseWork(database, work);
    throw error;
  } finally {
    clearInterval(keeping);
  }
};

/** Does what is due of one worker, one piece after another, until the signal aborts. Any number of processes may do so at once. */
export const doWork = (run: WorkerRun, bell: Bell, signal: AbortSignal): Promise<void> => {
  const { worker, database, policy, report } = run;
  const { claimMs, pollMs, longestPauseMs } = policy;
  return persist(
    async () => {
      const work = await claimWork(database, worker.name, { keepsOrder: worker.keepsOrder === true, claimMs });
      if (work === null) await bell.wait(pollMs, signal);
      else await attemptClaimed(run, work, signal);
    },
    { longestPauseMs, failed: (error) => report({ kind: 'interrupted', worker: worker.name, error }) },
    signal,
  );
};
