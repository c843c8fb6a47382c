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
  /** How long the oldest event that is not shown yet has been waiting, or at most, if that is far off; in milliseconds; 0 when there is none. */
  readonly lagMs: number;
  /** Parked events, those included that only wait behind another. */
  readonly parked: number;
  readonly rebuild: { readonly startedAt: string; readonly position: Position; readonly target: Position | null } | null;
}

/** So many events behind the read model that is farthest behind are looked at. */
const LOOKED_AT = 2_000;

/** One pass for all of them, as far as the head was: what is read for each by itself chases a log that grows. */
const lagsOf = async ({
  feed,
  clock,
  head,
  positions,
}: {
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly head: Position;
  readonly positions: ReadonlyMap<Projection, Position>;
}): Promise<ReadonlyMap<Projection, number>> => {
  const behind = new Map([...positions].filter(([, position]) => position < head));
  const lags = new Map<Projection, number>();
  if (behind.size === 0) return lags;
  const after = [...behind.values()].reduce((least, position) => (position < least ? position : least));
  const types = [...new Set([...behind.keys()].flatMap((projection) => projection.types))];
  let seen = 0;
  let lag = 0;
  for await (const { position, type, recordedAt } of feed.readAll({ after, upTo: head, filter: { types }, limit: LOOKED_AT })) {
    seen += 1;
    lag = Math.max(0, clock.now() - Date.parse(recordedAt));
    for (const [projection, shown] of behind)
      if (position > shown && (projection.types as readonly string[]).includes(type)) {
        lags.set(projection, lag);
        behind.delete(projection);
      }
    if (behind.size === 0) break;
  }
  // Whatever waits for these, if anything, is newer than the last that was looked at.
  if (seen === LOOKED_AT) for (const projection of behind.keys()) lags.set(projection, lag);
  return lags;
};

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

  const positions = new Map<Projection, Position>(
    projections.map((projection) => [
      projection,
      checkpoints.find(({ build, ...own }) => build === 'live' && own.projection === projection.name && own.version === projection.version)
        ?.position ?? START,
    ]),
  );
  const lags = await lagsOf({ feed, clock, head, positions });

  const statuses: ProjectionStatus[] = [];
  for (const projection of projections) {
    const { name, version } = projection;
    const own = checkpoints.filter((checkpoint) => checkpoint.projection === name && checkpoint.version === version);
    const shadow = own.find(({ build }) => build === 'shadow');
    statuses.push({
      name,
      version,
      position: positions.get(projection) ?? START,
      head,
      lagMs: lags.get(projection) ?? 0,
      parked: Number(parked.find((row) => row.projection === name && row.version === version)?.events ?? 0),
      rebuild: shadow === undefined ? null : { startedAt: shadow.startedAt, position: shadow.position, target: shadow.target },
    });
  }
  return statuses;
};
