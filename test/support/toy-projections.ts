import { z } from 'zod';
import { newEvents } from '../../commands/run-command.ts';
import { documentProjection, tableName, tableProjection, type Projection, type Statement } from '../../projections/engine/projection.ts';
import type { NewEvent } from '../../schemas/event-envelope.ts';
import type { DomainEvent } from '../../schemas/events/catalogue.ts';
import type { CommandId, StreamName, UserId } from '../../schemas/ids.ts';
import type { MemoryLog } from './memory-log.ts';

/** A display name that {@link toyNames} cannot take while it is ill. */
export const POISON = 'poison';

/** Names by user; fails on {@link POISON} while `ill`. */
export const toyNames = (health: { ill: boolean }): Projection =>
  documentProjection({
    name: 'toy-names',
    version: 1,
    types: ['Registered', 'ProfileChanged'],
    schema: z.object({ names: z.array(z.string()) }),
    keyOf: ({ data }) => data.userId,
    evolve: (doc, { data }) => {
      if (health.ill && data.displayName === POISON) throw new Error('cannot stand it');
      return { names: [...(doc?.names ?? []), data.displayName] };
    },
  });

const counts = tableName('toy-counts', 1);

/** Counts events by user; a name longer than ten characters breaks a constraint of the table. */
export const toyCounts: Projection = tableProjection({
  name: 'toy-counts',
  version: 1,
  types: ['Registered', 'ProfileChanged'],
  tables: [
    {
      name: counts,
      ddl: [
        `CREATE TABLE ${counts} (user_id text PRIMARY KEY, events integer NOT NULL, last text NOT NULL CHECK (length(last) <= 10), position bigint NOT NULL)`,
      ],
    },
  ],
  gather: () => {
    const statements: Statement[] = [];
    return {
      add: ({ data, position }) => {
        statements.push({
          text: `INSERT INTO ${counts} AS t (user_id, events, last, position) VALUES ($1, 1, $2, $3) ON CONFLICT (user_id) DO UPDATE SET events = t.events + 1, last = excluded.last, position = excluded.position`,
          values: [data.userId, data.displayName, position],
        });
      },
      statements: () => statements,
    };
  },
});

export const toyCountTable = counts;
export const toyNameTable = tableName('toy-names', 1);

let appends = 0;

/** Records that a user took this name; the first is the registration. */
export const recordName = async (log: MemoryLog, userId: string, displayName: string): Promise<void> => {
  const stream = `user-${userId}` as StreamName;
  const isFirst = !log.events.some((event) => event.stream === stream);
  const profile = { userId: userId as UserId, email: `${userId}@example.com`, displayName };
  const event: DomainEvent = isFirst
    ? { type: 'Registered', data: { ...profile, role: 'user', group: 'default' } }
    : { type: 'ProfileChanged', data: profile };
  await recordRaw(log, stream, eventOf(event));
};

/** An event with metadata, ready to be recorded or broken first. */
export const eventOf = (event: DomainEvent): NewEvent => {
  const [made] = newEvents([event], {
    commandId: `toy-${appends++}` as CommandId,
    correlationId: 'toy',
    causationId: 'toy',
    actor: { kind: 'system', id: 'toy' },
    tenant: 'platform',
    occurredAt: '2026-01-01T00:00:00.000Z',
  });
  if (made === undefined) throw new Error('one event makes one');
  return made;
};

export const recordRaw = async (log: MemoryLog, stream: StreamName, event: NewEvent): Promise<void> => {
  const [outcome] = await log.append([{ stream, expectedRevision: 'any', events: [event] }]);
  if (outcome?.outcome !== 'appended') throw new Error(`not appended: ${String(outcome?.outcome)}`);
};
