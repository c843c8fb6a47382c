import type { PositionBoard } from '../../projections/engine/position-board.ts';
import { projectionsBySource } from '../../projections/registry.ts';
import type { Config } from '../../schemas/config.ts';
import { systemClock } from '../clock.ts';
import type { ProgramLog } from '../logging/logger.ts';
import { readModelPool } from '../read-models/pool.ts';
import type { ReadModels } from '../read-models/read-models.ts';
import { replicaReads, type ReadingSide } from '../read-models/replica-reads.ts';
import { sqlOf } from '../read-models/sql-database.ts';

export interface ConsoleReadsSource extends ReadingSide {
  close(): Promise<void>;
}

export interface OpenConsoleReadsOptions {
  readonly config: Pick<Config, 'KAFKA_BROKERS' | 'DATABASE_URL' | 'DATABASE_READ_URL' | 'OBLIVIOUS_CONSOLE_POOL'>;
  readonly readModels: Pick<ReadModels, 'database'>;
  readonly board: PositionBoard;
  readonly programLog: Pick<ProgramLog, 'warn' | 'info'>;
}

const IDLE_MS = 60_000;

/** Where the console reads: on connections of its own, so that a long report holds up nothing else, and on a replica where there is one. */
export const openConsoleReads = ({ config, readModels, board, programLog }: OpenConsoleReadsOptions): ConsoleReadsSource => {
  const { DATABASE_URL: url, DATABASE_READ_URL: readUrl, OBLIVIOUS_CONSOLE_POOL: max } = config;
  if (url === undefined) return { sql: readModels.database, board, close: async () => undefined };
  const own = readModelPool({ connectionString: url }, { name: 'oblivious console', max, idleMs: IDLE_MS });
  const primary = sqlOf(own);
  if (readUrl === undefined) return { sql: primary, board, close: () => own.end() };
  const there = readModelPool({ connectionString: readUrl }, { name: 'oblivious console', max, idleMs: IDLE_MS });
  const reading = replicaReads({
    primary,
    replica: sqlOf(there),
    board,
    // What follows Kafka is late when that is, and nobody is promised it.
    projections: projectionsBySource(config.KAFKA_BROKERS !== undefined).log,
    clock: systemClock,
    report: (report) => {
      if (report.kind === 'back') programLog.info('the console reads from the replica again');
      else if (report.kind === 'behind') programLog.warn('the replica is too far behind; the console reads from the primary');
      else programLog.warn('the replica does not answer; the console reads from the primary', { error: report.error });
    },
  });
  return {
    ...reading,
    close: async () => {
      await Promise.all([own.end(), there.end()]);
    },
  };
};
