import { delayAfter } from '../../commands/workers/retry-policy.ts';
import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import { attemptWork } from './attempt.ts';
import { pauseUntil, persist, type Bell } from './waiting.ts';
import { busyStreams, insertWork, type NewWork } from './work-table.ts';
import { keepCheckpoint, releaseCheckpoint, storeCheckpoint, takeCheckpoint, type Following } from './worker-checkpoint.ts';
import type { WorkerRun } from './workers-deps.ts';

/** Works on new events in log order. What fails or takes long goes into the table, in the transaction that moves the checkpoint. */
const followAs = async (run: WorkerRun, following: Following, from: Position, bell: Bell, until: AbortSignal): Promise<void> => {
  const { worker, feed, database, clock, policy, counted, report } = run;
  let place = from;
  let stored = following.position;
  let storedAt = clock.now();
  let later: NewWork[] = [];
  /** With `keepsOrder`: streams that have something unfinished. */
  let busy = new Set<string>();

  const store = async (): Promise<void> => {
    const work = later;
    await database.transaction(async (tx) => {
      await storeCheckpoint(tx, following, place, policy.ownMs);
      await insertWork(tx, worker.name, work);
    });
    later = [];
    stored = place;
    storedAt = clock.now();
    if (work.length > 0) bell.ring();
  };

  const take = async (event: RecordedEvent): Promise<void> => {
    if (worker.takesLong === true || busy.has(event.stream)) {
      later.push({ event, attempts: 0, delayMs: 0, error: null });
      return;
    }
    const error = await attemptWork(worker, event, {
      attempt: 1,
      isLast: policy.retry.attempts <= 1,
      signal: until,
      progress: () => undefined,
    });
    if (error === null) return counted(worker.name, 'done');
    const delayMs = delayAfter(1, policy.retry);
    later.push({ event, attempts: 1, delayMs, error });
    if (worker.keepsOrder === true) busy.add(event.stream);
    counted(worker.name, delayMs === null ? 'parked' : 'failed');
    report({
      kind: 'failed',
      worker: worker.name,
      stream: event.stream,
      type: event.type,
      attempts: 1,
      parked: delayMs === null,
      error,
    });
  };

  for await (const message of feed.subscribe({ after: place, filter: { types: worker.types }, signal: until })) {
    if (until.aborted) return;
    if (message.kind === 'events') {
      if (worker.keepsOrder === true)
        busy = new Set(await busyStreams(database, worker.name, [...new Set(message.events.map(({ stream }) => stream))]));
      for (const event of message.events) {
        // A log may deliver again what it delivered before its connection broke.
        if (event.position <= place) continue;
        await take(event);
        place = event.position;
        if (until.aborted) return;
        if (clock.now() - storedAt >= policy.storeIdleMs) await store();
      }
    } else if (message.position > place) place = message.position;
    if (place > stored && (message.kind === 'events' || clock.now() - storedAt >= policy.storeIdleMs)) await store();
  }
};

/** Follows the log for one worker whenever no other process does, until the signal aborts. */
export const followLog = (run: WorkerRun, start: Position, bell: Bell, signal: AbortSignal): Promise<void> => {
  const { worker, feed, database, processName, policy, report } = run;
  return persist(
    async () => {
      const following = await takeCheckpoint(database, worker.name, processName, policy.ownMs);
      if (following === null) return pauseUntil(policy.standbyMs, signal);
      const lost = new AbortController();
      const keeping = setInterval(() => {
        keepCheckpoint(database, following, policy.ownMs).catch(() => lost.abort());
      }, policy.ownMs / 3);
      try {
        // A checkpoint beyond the log's end is of another log.
        const from = following.position > (await feed.head()) ? start : following.position;
        await followAs(run, following, from, bell, AbortSignal.any([signal, lost.signal]));
      } finally {
        clearInterval(keeping);
        await releaseCheckpoint(database, following).catch(() => undefined);
      }
    },
    { longestPauseMs: policy.longestPauseMs, failed: (error) => report({ kind: 'interrupted', worker: worker.name, error }) },
    signal,
  );
};
