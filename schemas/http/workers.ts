import { z } from 'zod';
import { PositionText } from './wire.ts';

export const WorkerView = z.object({
  name: z.string(),
  /** Everything at or before it is done, or waits, or is parked. */
  position: PositionText,
  head: PositionText,
  /** Age of the oldest event that is neither done nor parked, in milliseconds; 0 when there is none. */
  lagMs: z.int(),
  /** To be done, or to be tried again. */
  waiting: z.int(),
  parked: z.int(),
  /** The process that follows new events for it; `null` when none does. */
  process: z.string().nullable(),
});
export const WorkerList = z.object({ rows: z.array(WorkerView) });
