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

/** As categories and types are written; nothing else is one. */
const Category = z.string().regex(/^[a-z]{1,50}$/, 'expected a category, such as account');
const Type = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/, 'expected a type of events, such as QuotaDebited');

/** With `stream`: that stream, oldest first. Else the whole log: what lies after `from`, or the newest when absent, oldest first. */
export const EventQuery = z.object({
  from: PositionText.optional(),
  limit: Count(1_000).optional(),
  stream: z
    .string()
    .max(200)
    .refine((name) => !name.includes('\0'), 'expected the name of a stream')
    .optional(),
  category: Category.optional(),
  type: Type.optional(),
});
export const EventList = z.object({ rows: z.array(EventView), head: PositionText });

/** Server-sent events: `event: recorded` with an {@link EventView}, `id:` its position. */
export const EventTailQuery = z.object({
  from: PositionText.optional(),
  category: Category.optional(),
  type: Type.optional(),
});
