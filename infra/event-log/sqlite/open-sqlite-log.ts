import type { EventLog } from '../../../commands/ports/event-log.ts';
import type { FaultListener } from '../log-fault.ts';
import { SqliteLog } from './sqlite-log.ts';
import { startWorker } from './start-worker.ts';
import type { StartWorker } from './start-worker.ts';
import { WorkerLink } from './worker-link.ts';

export interface OpenSqliteLogOptions {
  /** Path of the database file; it is made when missing, its folder is not. */
  readonly file: string;
  /** How long a write waits for another process that is writing, in ms; 5 000 unless given. */
  readonly busyTimeoutMs?: number;
  /** After this time, in ms, a thread that does not answer is given up; 30 000 unless given. */
  readonly deadlineMs?: number;
  /** How often subscriptions look for appends of other processes, in ms; 1 000 unless given. */
  readonly pollMs?: number;
  readonly onFault?: FaultListener;
  /** How a thread is started; tests hold on to it to kill it. */
  readonly startWorker?: StartWorker;
}

/**
 * Opens the event log in an SQLite file. A thread that dies is started anew: appends under way end as `unknown`, subscriptions go on
 * where they were.
 *
 * @throws when the file cannot be opened, is no event log, or was made by a newer version.
 */
export const openSqliteLog = async (options: OpenSqliteLogOptions): Promise<EventLog> => {
  const {
    file,
    busyTimeoutMs = 5_000,
    deadlineMs = 30_000,
    pollMs = 1_000,
    onFault = () => undefined,
    startWorker: start = startWorker,
  } = options;
  const link = (role: 'writer' | 'reader'): WorkerLink =>
    new WorkerLink({ file, role, busyTimeoutMs }, start, deadlineMs, (error) => onFault({ what: 'worker_lost', error }));
  const writer = link('writer');
  const reader = link('reader');
  try {
    // The writer makes the tables that the reader's statements need.
    await writer.open();
    await reader.open();
  } catch (error) {
    await Promise.all([writer.close(), reader.close()]);
    throw error;
  }
  return new SqliteLog(writer, reader, { pollMs, onFault });
};
