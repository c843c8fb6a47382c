import { z } from 'zod';

export const workerEvents = {
  /** Where in the log a worker began, for good: if its checkpoint is ever lost it goes back here, and never to the beginning of the log. */
  WorkerStarted: z.object({ worker: z.string().min(1).max(50), after: z.string().regex(/^(0|[1-9]\d{0,18})$/) }),
} as const;
