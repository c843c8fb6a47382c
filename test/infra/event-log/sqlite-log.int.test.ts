import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { openSqliteLog } from '../../../infra/event-log/sqlite/open-sqlite-log.ts';
import { startWorker } from '../../../infra/event-log/sqlite/start-worker.ts';
import { describeEventLog } from '../../conformance/event-log.ts';
import type { LogCut, LogSubject } from '../../conformance/event-log.ts';

type Strike = (worker: Worker, message: { readonly name: string }, send: () => void) => void;

const makeSubject = async (): Promise<LogSubject> => {
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-log-'));
  const file = join(folder, 'events.db');
  const workers = new Set<Worker>();
  let armed: Strike | undefined;
  let refuseUntil: Promise<void> | undefined;

  const log = await openSqliteLog({
    file,
    pollMs: 50,
    startWorker: (settings) => {
      const worker = startWorker(settings);
      workers.add(worker);
      worker.once('exit', () => workers.delete(worker));
      const post = worker.postMessage.bind(worker);
      worker.postMessage = (message: { readonly name: string }) => {
        const strike = message.name === 'append' ? armed : undefined;
        if (strike === undefined) return post(message);
        armed = undefined;
        strike(worker, message, () => post(message));
      };
      if (refuseUntil !== undefined) void worker.terminate();
      return worker;
    },
  });

  const cut = (name: string, written: LogCut['written'], strike: Strike): LogCut => ({
    name,
    written,
    arm: async () => {
      armed = strike;
    },
  });

  return {
    log,
    another: () => openSqliteLog({ file, pollMs: 50 }),
    // There is no connection here that could be cut half-way through a message: a thread gets a message whole or not at all. What can
    // die is the thread, before it heard, while it works, and after it has written but before it is heard.
    cuts: [
      cut('thread dies before it hears', 'never', (worker) => void worker.terminate()),
      cut('thread dies with the request in its hands', 'perhaps', (worker, _, send) => {
        send();
        void worker.terminate();
      }),
      cut('thread dies after it has written, unheard', 'always', (worker, _, send) => {
        const heard = worker.listeners('message') as ((reply: unknown) => void)[];
        worker.removeAllListeners('message');
        worker.once('message', () => {
          for (const listener of heard) worker.on('message', listener);
          void worker.terminate();
        });
        send();
      }),
    ],
    restart: async (meanwhile) => {
      refuseUntil = Promise.resolve();
      for (const worker of workers) void worker.terminate();
      await meanwhile();
      refuseUntil = undefined;
    },
    close: async () => {
      await log.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

describeEventLog('SQLite', makeSubject);
