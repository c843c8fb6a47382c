import type { OpenedData } from '../../gateways/ports/command-line-host.ts';
import { readModelCare } from '../../gateways/console/read-model-care.ts';
import { projections } from '../../projections/registry.ts';
import type { Config } from '../../schemas/config.ts';
import { systemClock } from '../clock.ts';
import { createContainer } from '../container/create-container.ts';
import { services } from '../container/identifiers.ts';
import { directoryStore } from '../exports/directory-store.ts';
import { timeSortedIds } from '../ids.ts';
import type { ReadModels } from '../read-models/read-models.ts';
import { openTaskDesk } from '../tasks/open-task-desk.ts';
import { workersOf } from '../workers/open-workers.ts';
import { workerCare } from '../workers/worker-care.ts';

/** How long between two looks at how far the read models are. */
const CATCH_UP_LOOK_MS = 1_000;

/**
 * An installation's data in the hands of the command line. Throws `DataDirectoryInUse` while a server has them.
 */
export const openData = async (config: Config): Promise<OpenedData> => {
  const container = createContainer({ ...config, OBLIVIOUS_LOG_LEVEL: 'error' });
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const directory = await container.getAsync(services.dataDirectory);
    closers.push(() => directory.release());
    const log = await container.getAsync(services.eventLog);
    closers.push(() => log.close());
    const appender = await container.getAsync(services.appendQueue);
    closers.push(() => appender.close());

    let opened: Promise<ReadModels> | null = null;
    const openedReadModels = (): Promise<ReadModels> => {
      opened ??= container.getAsync(services.readModels).then((readModels) => {
        closers.push(() => readModels.close());
        return readModels;
      });
      return opened;
    };
    const care: OpenedData['care'] = async () => {
      const stopping = new AbortController();
      const readModels = await openedReadModels();
      const board = await container.getAsync(services.positionBoard);
      const projector = await container.getAsync(services.projector);
      const projected = projector.run(stopping.signal);
      closers.push(() => {
        stopping.abort();
        return projected;
      });
      const head = await log.head();
      while (!(await board.waitFor('all', head, CATCH_UP_LOOK_MS)));
      return readModelCare({
        feed: log,
        database: readModels.database,
        projections,
        board,
        clock: systemClock,
        owner: container.get(services.processName),
        stopping: stopping.signal,
        failed: (name, error) => container.get(services.programLog).error(`rebuilding ${name} failed`, { error }),
      });
    };
    return {
      log,
      appender,
      book: await container.getAsync(services.accountBook),
      passwords: container.get(services.passwords),
      secretBox: await container.getAsync(services.secretBox),
      clock: systemClock,
      ids: timeSortedIds,
      care,
      workers: async () => {
        const [vectors, blobs] = await Promise.all([container.getAsync(services.vectors), container.getAsync(services.blobs)]);
        closers.push(() => blobs.close());
        return workerCare({
          workers: workersOf({
            config,
            log,
            appender,
            database: (await openedReadModels()).database,
            board: await container.getAsync(services.positionBoard),
            exportStore: directoryStore(config.OBLIVIOUS_EXPORT_DIRECTORY ?? directory.exportDirectory),
            guard: container.get(services.egressGuard),
            hookGuard: container.get(services.hookGuard),
            // Nothing runs here: what the workers would do is not needed, and with the desk of a server its sandbox would start.
            desk: openTaskDesk({
              log,
              appender,
              book: await container.getAsync(services.accountBook),
              secrets: await container.getAsync(services.secretBox),
              database: (await openedReadModels()).database,
              upstream: container.get(services.upstreamPools),
              hookEgress: container.get(services.hookGuard),
              clock: systemClock,
              ids: timeSortedIds,
              sandboxUrl: () => null,
            }),
            vectorWorkers: vectors.workers,
          }).workers,
          feed: log,
          database: (await openedReadModels()).database,
          clock: systemClock,
        });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
