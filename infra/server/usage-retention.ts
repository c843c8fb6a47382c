import { keepPartitions } from '../../projections/engine/retention.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import { projections } from '../../projections/registry.ts';
import { systemClock } from '../clock.ts';
import type { ProgramLog } from '../logging/logger.ts';

export interface UsageRetentionOptions {
  readonly database: ReadModelDatabase;
  /** Absent: everything is kept. */
  readonly days: number | undefined;
  readonly programLog: Pick<ProgramLog, 'info'>;
}

/** What is to be done now and then about partitions: those of the time to come are made, those out of retention go. */
export const usageRetention =
  ({ database, days, programLog }: UsageRetentionOptions): (() => Promise<void>) =>
  async () => {
    const dropped = await keepPartitions({ database, projections, now: systemClock.now(), days: days ?? null });
    if (dropped > 0) programLog.info('dropped partitions that are out of retention', { partitions: dropped });
  };
