import type { EventLog } from '../../../commands/ports/event-log.ts';
import type { FaultListener } from '../log-fault.ts';
import { EventStoreLog } from './eventstore-log.ts';

export interface OpenEventStoreLogOptions {
  /** `esdb://` or `esdb+discover://`, with TLS, credentials and node preference in it. */
  readonly connectionString: string;
  /** Time to find a server, in ms; 5 000 unless given. */
  readonly openMs?: number;
  /** Time for one append, in ms; 5 000 unless given. After it the outcome is unknown. */
  readonly appendMs?: number;
  /** Time for one page of a read, in ms; 10 000 unless given. */
  readonly readMs?: number;
  /** How often subscriptions look for themselves, in ms; 1 000 unless given. */
  readonly pollMs?: number;
  /** From how far behind, in bytes of the log, a filtered subscription is first filtered by the server; 4 MiB unless given. */
  readonly catchUpBytes?: bigint;
  /** How far back, in bytes of the log, a place that is no event's position is sought from the end; 64 MiB unless given. */
  readonly seekBytes?: bigint;
  readonly onFault?: FaultListener;
}

/**
 * Opens the event log in an EventStoreDB (22.10 or newer). Positions are its commit positions: they grow and have gaps. It lives with the
 * servers' coming and going: appends under way when one is lost end as `unknown`, subscriptions go on where they were.
 *
 * @throws when no server can be reached now, or the connection string is malformed.
 */
export const openEventStoreLog = async (options: OpenEventStoreLogOptions): Promise<EventLog> => {
  const log = new EventStoreLog({
    connectionString: options.connectionString,
    openMs: options.openMs ?? 5_000,
    appendMs: options.appendMs ?? 5_000,
    readMs: options.readMs ?? 10_000,
    pollMs: options.pollMs ?? 1_000,
    catchUpBytes: options.catchUpBytes ?? 4_194_304n,
    seekBytes: options.seekBytes ?? 67_108_864n,
    onFault: options.onFault ?? (() => undefined),
  });
  try {
    await log.head();
  } catch (error) {
    await log.close();
    throw error;
  }
  return log;
};
