import { expireExports } from '../../commands/exports/expire-exports.ts';
import { exportsWorker } from '../../commands/exports/exports-worker.ts';
import { deliveryWorker } from '../../commands/notifications/delivery-worker.ts';
import { notificationsWorker } from '../../commands/notifications/notifications-worker.ts';
import type { Appender } from '../../commands/ports/appender.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import type { ExportStore } from '../../commands/ports/export-store.ts';
import type { AnyWorker } from '../../commands/workers/worker.ts';
import { hookWorker } from '../../gateways/relay/tasks/hook-worker.ts';
import type { TaskDesk } from '../../gateways/relay/tasks/task-desk.ts';
import { exportSource } from '../../gateways/exports/export-source.ts';
import type { WorkerCare } from '../../gateways/ports/worker-care.ts';
import type { PositionBoard } from '../../projections/engine/position-board.ts';
import { expiredExports } from '../../projections/exports/queries.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import type { Config } from '../../schemas/config.ts';
import type { WorkerView } from '../../schemas/http/workers.ts';
import { systemClock } from '../clock.ts';
import type { EgressGuard } from '../egress/guard.ts';
import { timeSortedIds } from '../ids.ts';
import type { ProgramLog } from '../logging/logger.ts';
import { every } from '../server/every.ts';
import { hookPost } from '../webhook/hook-post.ts';
import { signedWebhook } from '../webhook/signed-webhook.ts';
import { runWorkers } from './run-workers.ts';
import type { WorkerRecords } from './worker-records.ts';
import { workerCare } from './worker-care.ts';
import type { WorkersReport, WorkOutcome } from './workers-deps.ts';
import type { z } from 'zod';

export interface OpenWorkersOptions {
  readonly config: Config;
  readonly log: EventLog;
  readonly appender: Appender;
  readonly database: ReadModelDatabase;
  readonly board: Pick<PositionBoard, 'waitFor' | 'positionOf'>;
  readonly exportStore: ExportStore;
  readonly desk: TaskDesk;
  /** Those that look after vector stores. */
  readonly vectorWorkers: readonly AnyWorker[];
  /** Where Kafka is configured. */
  readonly kafka: WorkerRecords | null;
  readonly guard: Pick<EgressGuard, 'lookup' | 'allowsAddress'>;
  /** For addresses that callers gave. */
  readonly hookGuard: Pick<EgressGuard, 'lookup' | 'allowsAddress'>;
  readonly processName: string;
  readonly programLog: ProgramLog;
  readonly counted: (worker: string, outcome: WorkOutcome) => void;
}

export interface OpenedWorkers {
  readonly care: WorkerCare;
  /** Where the files of exports are. */
  readonly exportStore: ExportStore;
  /** How each worker stands, as last looked at: a scrape of the metrics asks no database. */
  readonly latest: () => readonly z.output<typeof WorkerView>[];
  /** Runs them until the signal aborts; resolves when what they had in hand is put down. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const LOOK_MS = 5_000;
const EXPIRE_MS = 600_000;
const DAY_MS = 86_400_000;

const tellOf =
  (programLog: ProgramLog) =>
  (report: WorkersReport): void => {
    if (report.kind === 'interrupted')
      return programLog.warn('a worker was interrupted and goes on', { worker: report.worker, error: report.error });
    const { kind: _kind, parked, ...failure } = report;
    if (parked) programLog.error('an event could not be worked on and is parked', failure);
    else programLog.warn('an event could not be worked on and is tried again', failure);
  };

type Parts = Pick<
  OpenWorkersOptions,
  'config' | 'log' | 'appender' | 'database' | 'board' | 'guard' | 'hookGuard' | 'exportStore' | 'desk' | 'vectorWorkers'
>;

/** The workers of this installation. */
export const workersOf = ({
  config,
  log,
  appender,
  database,
  board,
  guard,
  hookGuard,
  exportStore,
  desk,
  vectorWorkers,
}: Parts): { readonly workers: readonly AnyWorker[]; close(): Promise<void> } => {
  const commandLog = { log, appender };
  const { OBLIVIOUS_NOTIFY_WEBHOOK_URL: url, OBLIVIOUS_NOTIFY_WEBHOOK_SECRET: secret } = config;
  const webhook =
    url === undefined || secret === undefined ? null : signedWebhook({ url: new URL(url), secret, guard, clock: systemClock });
  const hooks = hookPost({ guard: hookGuard, clock: systemClock });
  return {
    workers: [
      notificationsWorker({ ...commandLog, lowBalance: config.OBLIVIOUS_LOW_BALANCE }),
      ...(webhook === null ? [] : [deliveryWorker({ ...commandLog, webhook })]),
      hookWorker({ desk, secrets: desk.secrets, post: hooks }),
      exportsWorker({
        ...commandLog,
        source: exportSource({ sql: database, board }),
        store: exportStore,
        clock: systemClock,
        keepMs: config.OBLIVIOUS_EXPORT_DAYS * DAY_MS,
      }),
      ...vectorWorkers,
    ],
    close: async () => {
      await Promise.all([webhook?.close(), hooks.close()]);
    },
  };
};

/** The workers of this installation, and the care for them. Nothing runs yet. */
export const openWorkers = ({ processName, programLog, counted, kafka, ...parts }: OpenWorkersOptions): OpenedWorkers => {
  const { log, appender, database } = parts;
  const commandLog = { log, appender };
  const made = workersOf(parts);
  const { workers } = made;
  const care = workerCare({ workers, feed: log, database, clock: systemClock });
  let latest: readonly z.output<typeof WorkerView>[] = [];
  const stopLooking = every(
    LOOK_MS,
    async () => {
      latest = (await care.status()).rows;
    },
    (error) => programLog.warn('it is not known how far the workers are', { error }),
  );
  const expire = async (): Promise<void> => {
    const now = new Date(systemClock.now()).toISOString();
    const ended = await expireExports({ ...commandLog, clock: systemClock, ids: timeSortedIds }, await expiredExports(database, now));
    if (ended > 0) programLog.info('exports have expired', { exports: ended });
  };
  return {
    care,
    exportStore: parts.exportStore,
    latest: () => latest,
    run: async (signal) => {
      const stopExpiring = every(EXPIRE_MS, expire, (error) => programLog.warn('it is not known which exports have expired', { error }));
      await runWorkers(
        { ...commandLog, kafka, workers, feed: log, database, clock: systemClock, processName, report: tellOf(programLog), counted },
        signal,
      );
      await stopExpiring();
    },
    close: async () => {
      await stopLooking();
      await made.close();
      await kafka?.records.close();
    },
  };
};
