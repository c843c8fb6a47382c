import { services } from '../../container/identifiers.ts';
import type { RoleContext } from '../role-context.ts';

/** Runs the workers: what has to be done about events beside read models. */
export const work = async ({ container, onClose }: RoleContext): Promise<void> => {
  const workers = await container.getAsync(services.workers);
  const working = new AbortController();
  const worked = workers.run(working.signal);
  onClose(() => {
    working.abort();
    return worked;
  });
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
