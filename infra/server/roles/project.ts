import { START } from '../../../schemas/event-envelope.ts';
import { services } from '../../container/identifiers.ts';
import { every } from '../every.ts';
import { projectionLag } from '../projection-lag.ts';
import type { RoleContext } from '../role-context.ts';
import { usageRetention } from '../usage-retention.ts';

/** How often it is looked at how far the read models are. */
const LAG_MS = 5_000;

/** How long between two looks at how far the read models are, while a start waits for them. */
const CATCH_UP_LOOK_MS = 1_000;

/** How often partitions are made ahead and dropped. */
const RETENTION_MS = 3_600_000;

/** Keeps the read models current, or stands by while another process does. */
export const project = async (context: RoleContext): Promise<void> => {
  const { container, config, stopping, onClose, failed } = context;
  const [log, readModels, projector] = await Promise.all([
    container.getAsync(services.eventLog),
    container.getAsync(services.readModels),
    container.getAsync(services.projector),
  ]);
  const projecting = new AbortController();
  const recordsProjector = await container.getAsync(services.recordsProjector);
  const projected = Promise.all([projector.run(projecting.signal), recordsProjector?.run(projecting.signal)]);
  onClose(() => {
    projecting.abort();
    return projected;
  });
  const lag = projectionLag(readModels.database, log);
  onClose(every(LAG_MS, lag.refresh, failed('looking at the lag of the read models')));
  const keepUsage = usageRetention({
    database: readModels.database,
    days: config.OBLIVIOUS_USAGE_RETENTION_DAYS,
    programLog: container.get(services.programLog),
  });
  const lookingAfterPartitions = failed('the care of partitions');
  onClose(every(RETENTION_MS, keepUsage, lookingAfterPartitions));
  void readModelsThere(context)
    .then(() => (stopping.aborted ? undefined : keepUsage()))
    .catch(lookingAfterPartitions);
  container.get(services.metrics).observeProjections(() =>
    lag.latest().map(({ name, position, head, lagMs, parked }) => ({
      name,
      lagEvents: Number(head - position),
      lagSeconds: lagMs / 1_000,
      parked,
    })),
  );
};

/** Resolves when the read models show everything that the log held when this was called. */
export const readModelsCaughtUp = async ({ container }: RoleContext): Promise<void> => {
  const [log, board] = await Promise.all([container.getAsync(services.eventLog), container.getAsync(services.positionBoard)]);
  const head = await log.head();
  while (!(await board.waitFor('all', head, CATCH_UP_LOOK_MS)));
};

/** Resolves when there are read models to ask, whoever made them. */
export const readModelsThere = async ({ container, stopping }: RoleContext): Promise<void> => {
  const board = await container.getAsync(services.positionBoard);
  const programLog = container.get(services.programLog);
  for (let looks = 0; !stopping.aborted && !(await board.waitFor('all', START, CATCH_UP_LOOK_MS)); looks++)
    if (looks % 10 === 4) programLog.warn('waiting for a process with the role of projector to make the read models');
};
