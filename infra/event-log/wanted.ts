import type { EventFilter } from '../../schemas/event-envelope.ts';
import type { StoredEvent } from './stored-event.ts';

/** The filter as a test of one event. */
export const wants = (filter: EventFilter | undefined): ((stored: StoredEvent) => boolean) => {
  if (filter === undefined) return () => true;
  const categories = filter.categories === undefined ? undefined : new Set(filter.categories);
  const types = filter.types === undefined ? undefined : new Set(filter.types);
  return (stored) =>
    (types === undefined || types.has(stored.type)) &&
    (categories === undefined || categories.has(stored.stream.slice(0, stored.stream.indexOf('-'))));
};
