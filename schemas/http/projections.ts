import { z } from 'zod';
import { Instant } from '../time.ts';
import { EventView } from './events.ts';
import { Done, PageQuery, PositionText, pageOf } from './wire.ts';

export const ProjectionView = z.object({
  name: z.string(),
  version: z.int(),
  state: z.enum(['live', 'catching_up', 'rebuilding', 'stopped']),
  position: PositionText,
  head: PositionText,
  /** Events behind the head, as far as positions tell. */
  behind: z.string(),
  lagMs: z.int().nullable(),
  parked: z.int(),
  /** Present while a rebuild runs: 0 to 1. */
  rebuild: z.object({ startedAt: Instant, position: PositionText, progress: z.number() }).nullable(),
  /** The last that ended in the process that was asked; `failure` says why the live read model stayed. */
  lastRebuild: z.object({ endedAt: Instant, failure: z.string().nullable() }).nullable(),
});
export const ProjectionList = z.object({ rows: z.array(ProjectionView) });

export const RebuildStarted = z.object({ name: z.string(), version: z.int() });

/** Digests over all rows of the live tables and of a fresh rebuild up to the same position. */
export const ProjectionCompared = z.object({
  name: z.string(),
  position: PositionText,
  equal: z.boolean(),
  liveDigest: z.string(),
  rebuiltDigest: z.string(),
  rows: z.int(),
});

export const ParkedView = z.object({
  parkedId: z.string(),
  /** Whose work it is: a read model's or a worker's. The other is `null`. */
  projection: z.string().nullable(),
  worker: z.string().nullable(),
  stream: z.string(),
  position: PositionText,
  type: z.string(),
  error: z.string(),
  /** How often it was tried. */
  attempts: z.int(),
  parkedAt: Instant,
  /** Nothing is known to be wrong with it; one before it in its stream is parked. */
  waiting: z.boolean(),
});
/** Those of one read model or of one worker; of all unless given, read models first. */
export const ParkedQuery = z.object({ ...PageQuery, projection: z.string().max(100).optional(), worker: z.string().max(100).optional() });
export const ParkedPage = pageOf(ParkedView);
export const ParkedDetail = z.object({ parked: ParkedView, event: EventView });
export const ParkedDone = Done;
