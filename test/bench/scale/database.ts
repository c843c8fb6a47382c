import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { EventLog, StreamAppend } from '../../../commands/ports/event-log.ts';
import { migrateEventLog } from '../../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import type { StoredEvent } from '../../../infra/event-log/stored-event.ts';
import type { EventMetadata, JsonObject } from '../../../schemas/event-envelope.ts';
import type { EventId, StreamName } from '../../../schemas/ids.ts';
import { startPostgres } from '../../support/postgres.ts';
import { cpuSeconds, withDescendants } from '../process-cpu.ts';

/** A log in a PostgreSQL of its own that syncs on every commit, and what both sides of it use. */
export interface ScaleDatabase {
  readonly url: string;
  readonly log: EventLog;
  /** CPU seconds of this process and of the database together. */
  cpu(): number;
  /** Bytes that the database has on disk. */
  bytes(): Promise<number>;
  close(): Promise<void>;
}

export const openScaleDatabase = async (): Promise<ScaleDatabase> => {
  const server = await startPostgres({ settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
  const client = new pg.Client({ connectionString: server.connectionString });
  await client.connect();
  await migrateEventLog(client);
  await client.end();
  const log = await openPostgresLog({ connectionString: server.connectionString });
  const postmaster = Number(readFileSync(join(server.dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  // Backends come and go; what those that are gone have used is no longer told, so all connections are kept while it matters.
  const database = (): number => cpuSeconds(withDescendants([postmaster]));
  return {
    url: server.connectionString,
    log,
    cpu: () => cpuSeconds([process.pid]) + database(),
    bytes: async () => {
      const asking = new pg.Client({ connectionString: server.connectionString });
      await asking.connect();
      const { rows } = await asking
        .query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes')
        .finally(() => asking.end());
      return Number(rows[0]?.bytes);
    },
    close: async () => {
      await log.close();
      await server.stop();
    },
  };
};

/** As many as the append queue puts together under load. */
const BATCH = 500;

/** Events that lie next to each other in one stream are one append, as a gateway's are. */
const appendsOf = (events: readonly StoredEvent[]): StreamAppend[] => {
  const byStream = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const before = byStream.get(event.stream);
    if (before === undefined) byStream.set(event.stream, [event]);
    else before.push(event);
  }
  return [...byStream].map(([stream, own]) => {
    const first = (own[0] as StoredEvent).revision;
    return {
      stream: stream as StreamName,
      expectedRevision: first === 0 ? 'no_stream' : first - 1,
      events: own.map(({ eventId, type, schemaVersion, data, metadata }) => ({
        eventId: eventId as EventId,
        type,
        schemaVersion,
        data: JSON.parse(data) as JsonObject,
        metadata: JSON.parse(metadata) as EventMetadata,
      })),
    };
  });
};

/** Appends events to a log, many in one write. */
export const fill = async (log: EventLog, events: readonly StoredEvent[]): Promise<void> => {
  for (let at = 0; at < events.length; at += BATCH) {
    const outcomes = await log.append(appendsOf(events.slice(at, at + BATCH)));
    const wrong = outcomes.find(({ outcome }) => outcome !== 'appended');
    if (wrong !== undefined) throw new Error(`an append ended as ${JSON.stringify(wrong)}`);
  }
};
