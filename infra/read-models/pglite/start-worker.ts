import { Worker } from 'node:worker_threads';
import type { WorkerTask } from './worker-messages.ts';

const entry = import.meta.url.endsWith('.ts') ? './pglite-worker-from-source.mjs' : './pglite-worker.js';

/** Starts the thread from the built module beside this one, or from its source where this is source. */
export const startWorker = (task: WorkerTask): Worker =>
  new Worker(new URL(entry, import.meta.url), { name: 'read models', workerData: task, execArgv: [] });
