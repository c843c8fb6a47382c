import type { JsonObject } from '../../schemas/event-envelope.ts';
import { currentSchemaVersion, type EventType } from '../../schemas/events/catalogue.ts';

/** Turns the data of one schema version into the next one's. */
export type Upcaster = (data: JsonObject) => JsonObject;

/** By type; the upcaster at index 0 makes version 2 out of version 1, and so on. */
const upcasters: { readonly [T in EventType]?: readonly Upcaster[] } = {};

/**
 * Data of any stored schema version in today's shape. Throws for a version newer than this program: an older process must
 * not guess at what a newer one wrote.
 */
export const upcast = (type: EventType, schemaVersion: number, data: JsonObject): JsonObject => {
  const current = currentSchemaVersion[type];
  if (schemaVersion > current) throw new Error(`${type} has schema version ${schemaVersion}; this program knows up to ${current}`);
  // Nearly all events: what a projector reads was written a moment ago.
  if (schemaVersion === current) return data;
  let shape = data;
  for (const step of (upcasters[type] ?? []).slice(schemaVersion - 1)) shape = step(shape);
  return shape;
};
