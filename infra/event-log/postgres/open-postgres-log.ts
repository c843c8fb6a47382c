import { randomBytes } from 'node:crypto';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import type { FaultListener } from '../log-fault.ts';
import { checkEventLogSchema } from './log-schema.ts';
import { PostgresLog } from './postgres-log.ts';
import type { PostgresLogOptions } from './postgres-log.ts';
import { connect, leave } from './session.ts';

export interface OpenPostgresLogOptions {
  readonly connectionString: string;
  /** Shown in `pg_stat_activity`; the kind of connection is added. */
  readonly applicationName?: string;
  /** Time to reach the server, in ms; 5 000 unless given. */
  readonly connectTimeoutMs?: number;
  /** Time for one statement, in ms; 10 000 unless given. */
  readonly statementTimeoutMs?: number;
  /** Connections for reading, beside one for appends and one for notifications; 3 unless given. */
  readonly readConnections?: number;
  /** How often subscriptions look for themselves, in ms, should a notification get lost; 1 000 unless given. */
  readonly pollMs?: number;
  readonly onFault?: FaultListener;
}

/**
 * Opens the event log in a PostgreSQL database that {@link migrateEventLog} has prepared. It lives with the server's coming and going:
 * appends under way when the connection is lost end as `unknown`, subscriptions go on where they were.
 *
 * @throws when the server cannot be reached now, or the database has no event log of this version.
 */
export const openPostgresLog = async (options: OpenPostgresLogOptions): Promise<EventLog> => {
  const settled: PostgresLogOptions = {
    connectionString: options.connectionString,
    applicationName: options.applicationName ?? 'oblivious event log',
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    statementTimeoutMs: options.statementTimeoutMs ?? 10_000,
    readConnections: options.readConnections ?? 3,
    pollMs: options.pollMs ?? 1_000,
    writer: randomBytes(6).toString('hex'),
    onFault: options.onFault ?? (() => undefined),
  };
  const client = await connect(settled, () => undefined);
  try {
    await checkEventLogSchema(client);
  } finally {
    await leave(client);
  }
  return new PostgresLog(settled);
};
