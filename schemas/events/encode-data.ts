import { z } from 'zod';
import type { JsonObject } from '../event-envelope.ts';
import { eventSchemas, type DomainEvent } from './catalogue.ts';

/** The JSON form of an event's data: money as decimal strings. Throws when the data break the event's own schema. */
export const encodeData = (event: DomainEvent): JsonObject =>
  z.encode(eventSchemas[event.type] as z.ZodType<unknown, JsonObject>, event.data);
