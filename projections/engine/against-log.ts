import { START, type Position } from '../../schemas/event-envelope.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { readCheckpoints } from './checkpoint.ts';
import { LIVE_SCHEMA } from './engine-schema.ts';
import { tablesOf, type Projection } from './projection.ts';

/**
 * Whether the live read models can have come from this log: no checkpoint lies beyond its end, the event that each
 * checkpoint names is in it at that very place, nothing that the projection wants lies between that event and the
 * checkpoint, and no row shows an event beyond it. Answers with what contradicts, or `null`.
 */
export const contradictionWithLog = async (sql: Sql, feed: EventFeed, projections: readonly Projection[]): Promise<string | null> => {
  const head = await feed.head();
  const seen = new Map<Position, string | null>();
  const eventIdAt = async (position: Position): Promise<string | null> => {
    let eventId = seen.get(position);
    if (eventId !== undefined) return eventId;
    eventId = null;
    for await (const event of feed.readAll({ after: (position - 1n) as Position, upTo: position, limit: 1 })) eventId = event.eventId;
    seen.set(position, eventId);
    return eventId;
  };

  for (const { projection: name, version, build, position, eventPosition, eventId } of await readCheckpoints(sql)) {
    const projection = projections.find((known) => known.name === name && known.version === version);
    if (build !== 'live' || projection === undefined) continue;
    if (position > head) return `${name} says that it has applied position ${position}, and the log ends at ${head}`;
    if (eventPosition !== null && (await eventIdAt(eventPosition)) !== eventId)
      return `${name} was made from another log: at position ${eventPosition} there is another event`;
    for await (const missed of feed.readAll({
      after: eventPosition ?? START,
      upTo: position,
      filter: { types: projection.types },
      limit: 1,
    })) {
      return `${name} says that it has applied position ${position}, and never saw position ${missed.position}`;
    }
    for (const table of tablesOf(projection)) {
      const { rows } = await sql.query<{ last: Position | null }>(`SELECT max(position) AS last FROM ${LIVE_SCHEMA}.${table.name}`);
      const last = rows[0]?.last ?? null;
      if (last !== null && last > position) return `${table.name} shows position ${last}, beyond the checkpoint ${position} of ${name}`;
    }
  }
  return null;
};
