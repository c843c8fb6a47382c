import { register } from 'tsx/esm/api';

/** Run from source: on Node 20 a loader given by `--import` does not reach a thread's own entry, so the entry registers it. */
register();
await import('./pglite-worker.ts');
