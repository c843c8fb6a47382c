import { z } from 'zod';
import { Metadata } from './responses-request.ts';

/** OpenAI's bound: so many items are taken at once. */
const MOST_AT_ONCE = 20;

const Items = z.array(z.looseObject({ type: z.string().max(100).nullish() })).max(MOST_AT_ONCE);

/** `POST /v1/conversations`. */
export const StartConversation = z.looseObject({ metadata: Metadata.nullish(), items: Items.nullish() });
/** `POST /v1/conversations/{id}`. */
export const DescribeConversation = z.looseObject({ metadata: Metadata.nullable() });
/** `POST /v1/conversations/{id}/items`. */
export const AddItems = z.looseObject({ items: Items.min(1) });

/** How a list of items is asked for. */
export const ItemsQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: z.string().max(200).optional(),
});

/** How a response is asked for again: whole, or its events behind a number. */
export const ResponseQuery = z.object({
  stream: z.enum(['true', 'false']).default('false'),
  starting_after: z.coerce.number().int().min(-1).max(1_000_000_000).default(-1),
});
