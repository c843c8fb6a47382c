import { z } from 'zod';
import { Instant } from '../time.ts';
import { Actor } from '../event-envelope.ts';
import { Count, PositionText } from './wire.ts';

/** An event as the console shows it: sealed values and key hashes are masked. */
export const EventView = z.object({
  position: PositionText,
  stream: z.string(),
  revision: z.int(),
  eventId: z.string(),
  type: z.string(),
  schemaVersion: z.int(),
  recordedAt: Instant,
  data: z.record(z.string(), z.unknown()),
  metadata: z.object({
    correlationId: z.string(),
    causationId: z.string(),
    commandId: z.string(),
    actor: Actor,
    tenant: z.string(),
    occurredAt: z.string(),
    traceparent: z.string().optional(),
  }),
});

/** With `stream`: that stream, oldest first. Else the whole log: what lies after `from`, or the newest when absent, oldest first. */
export const EventQuery = z.object({
  from: PositionText.optional(),
  limit: Count(1_000).optional(),
  stream: z.string().max(200).optional(),
  category: z.string().max(50).optional(),
  type: z.string().max(100).optional(),
});
export const EventList = z.object({ rows: z.array(EventView), head: PositionText });

/** Server-sent events: `event: recorded` with an {@link EventView}, `id:` its position. */
export const EventTailQuery = z.object({
  from: PositionText.optional(),
  category: z.string().max(50).optional(),
  type: z.string().max(100).optional(),
});
