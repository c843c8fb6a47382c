import type { Position } from '../../schemas/event-envelope.ts';
import { START } from '../../schemas/event-envelope.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { readCheckpoints } from './checkpoint.ts';
import { ENGINE_SCHEMA } from './engine-schema.ts';
import type { Projection } from './projection.ts';

/** How one read model stands, whichever process projects it. */
export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  readonly position: Position;
  readonly head: Position;
  /** How long the oldest event that is not shown yet has been waiting, in milliseconds; 0 when there is none. */
  readonly lagMs: number;
  /** Parked events, those included that only wait behind another. */
  readonly parked: number;
  readonly rebuild: { readonly startedAt: string; readonly position: Position; readonly target: Position | null } | null;
}

/** One entry per projection of this program, in its order. */
export const projectionStatus = async ({
  sql,
  feed,
  projections,
  clock,
}: {
  readonly sql: Sql;
  readonly feed: EventFeed;
  readonly projections: readonly Projection[];
  readonly clock: Clock;
}): Promise<readonly ProjectionStatus[]> => {
  const head = await feed.head();
  const checkpoints = await readCheckpoints(sql);
  const { rows: parked } = await sql.query<{ projection: string; version: number; events: bigint }>(
    `SELECT projection, version, count(*) AS events FROM ${ENGINE_SCHEMA}.parked_event GROUP BY projection, version`,
  );

  const lags = new Map<string, number>();
  const lagOf = async ({ types }: Projection, position: Position): Promise<number> => {
    if (position >= head) return 0;
    const key = `${position} ${types.join()}`;
    let lag = lags.get(key);
    if (lag !== undefined) return lag;
    lag = 0;
    for await (const event of feed.readAll({ after: position, filter: { types }, limit: 1 }))
      lag = Math.max(0, clock.now() - Date.parse(event.recordedAt));
    lags.set(key, lag);
    return lag;
  };

  const statuses: ProjectionStatus[] = [];
  for (const projection of projections) {
    const { name, version } = projection;
    const own = checkpoints.filter((checkpoint) => checkpoint.projection === name && checkpoint.version === version);
    const position = own.find(({ build }) => build === 'live')?.position ?? START;
    const shadow = own.find(({ build }) => build === 'shadow');
    statuses.push({
      name,
      version,
      position,
      head,
      lagMs: await lagOf(projection, position),
      parked: Number(parked.find((row) => row.projection === name && row.version === version)?.events ?? 0),
      rebuild: shadow === undefined ? null : { startedAt: shadow.startedAt, position: shadow.position, target: shadow.target },
    });
  }
  return statuses;
};
