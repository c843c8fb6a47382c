import { Worker } from 'node:worker_threads';
import type { WorkerTask } from './worker-messages.ts';

/** On Node 20 a loader of TypeScript given by `--import` does not reach a thread's own entry, so the entry registers it and then loads the module. */
const sourceEntry = (module: URL): URL => {
  const loader = import.meta.resolve('tsx/esm/api');
  return new URL(`data:text/javascript,${encodeURIComponent(`import { register } from ${JSON.stringify(loader)}; register(); await import(${JSON.stringify(module.href)});`)}`);
};

/** Starts the thread from the built module beside this one, or from its source where this is source. */
export const startWorker = (task: WorkerTask): Worker => {
  const isSource = import.meta.url.endsWith('.ts');
  const module = new URL(isSource ? './pglite-worker.ts' : './pglite-worker.js', import.meta.url);
  return new Worker(isSource ? sourceEntry(module) : module, { name: 'read models', workerData: task, execArgv: [] });
};
