import { services } from '../../container/identifiers.ts';
import { every } from '../every.ts';
import type { RoleContext } from '../role-context.ts';

/** How often it is looked for what the index of vectors has lost. */
const REFILL_MS = 30_000;

/** Runs the workers: what has to be done about events beside read models. */
export const work = async ({ container, stopping, onClose, failed }: RoleContext): Promise<void> => {
  const workers = await container.getAsync(services.workers);
  const working = new AbortController();
  const worked = workers.run(working.signal);
  onClose(() => {
    working.abort();
    return worked;
  });
  const vectors = await container.getAsync(services.vectors);
  const programLog = container.get(services.programLog);
  const refill = async (): Promise<void> => {
    const filled = await vectors.refill(stopping);
    if (filled > 0) programLog.warn('files were put back into the index of vectors, which had lost them', { files: filled });
  };
  onClose(every(REFILL_MS, refill, failed('filling the index of vectors')));
  container.get(services.metrics).observeWorkers(() =>
    workers.latest().map(({ name, position, head, lagMs, waiting, parked }) => ({
      name,
      lagEvents: lagMs === 0 ? 0 : Number(BigInt(head) - BigInt(position)),
      lagSeconds: lagMs / 1_000,
      waiting,
      parked,
    })),
  );
};
