// Entry of the thread where the program runs from its TypeScript sources. `--import tsx` in the thread's arguments cannot do this: on
// Node 20 a loader registered that way does not reach the thread's own entry.
import { register } from 'tsx/esm/api';

register();
await import('./token-worker.ts');
