import { projectionStatus, type ProjectionStatus } from '../../projections/engine/status.ts';
import type { EventFeed } from '../../projections/ports/event-feed.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { projections } from '../../projections/registry.ts';
import { systemClock } from '../clock.ts';

export interface ProjectionLag {
  readonly latest: () => readonly ProjectionStatus[];
  readonly refresh: () => Promise<void>;
}

/** How far the read models are, as last looked at: a scrape of the metrics asks no database. */
export const projectionLag = (sql: Sql, feed: EventFeed): ProjectionLag => {
  let latest: readonly ProjectionStatus[] = [];
  return {
    latest: () => latest,
    refresh: async () => {
      latest = await projectionStatus({ sql, feed, projections, clock: systemClock });
    },
  };
};
