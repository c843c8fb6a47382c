import { Worker } from 'node:worker_threads';
import type { WorkerSettings } from './messages.ts';

export type StartWorker = (settings: WorkerSettings) => Worker;

const entry = import.meta.url.endsWith('.ts') ? './worker-from-source.mjs' : './worker.js';

/** Starts the thread from the module beside this one: the built one, or its source where this runs from source. */
export const startWorker: StartWorker = (settings) =>
  new Worker(new URL(entry, import.meta.url), { name: `event log ${settings.role}`, workerData: settings, execArgv: [] });
