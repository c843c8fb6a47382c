import type { z } from 'zod';
import type { Clock } from '../../commands/ports/clock.ts';
import type { EventFeed } from '../../projections/ports/event-feed.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import { PoisonEvent } from '../../projections/engine/batch.ts';
import { CheckpointMoved } from '../../projections/engine/checkpoint.ts';
import { readParked, type ParkedEvent } from '../../projections/engine/parked-events.ts';
import { discardParked, retryParked, type Unparking } from '../../projections/engine/parking.ts';
import type { PositionBoard } from '../../projections/engine/position-board.ts';
import type { Projection } from '../../projections/engine/projection.ts';
import { ReadModelsUnavailable } from '../../projections/engine/read-models-unavailable.ts';
import { compareProjection, LiveReadModelBehind, rebuildProjection, type RebuildOptions } from '../../projections/engine/rebuild.ts';
import { projectionStatus, type ProjectionStatus } from '../../projections/engine/status.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { ParkedView, ProjectionView } from '../../schemas/http/projections.ts';
import type { ReadModelCare } from '../ports/read-model-care.ts';
import { eventView } from './event-view.ts';

export interface ReadModelCareDeps {
  readonly feed: EventFeed;
  readonly database: ReadModelDatabase;
  readonly projections: readonly Projection[];
  readonly board: PositionBoard;
  readonly clock: Clock;
  /** Names this process as the builder. */
  readonly owner: string;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  /** Told when a rebuild that nobody waits for has failed. */
  readonly failed: (name: string, error: unknown) => void;
}

/** Anything older than this has not just been written. */
const LIVE_LAG_MS = 5_000;

type LastRebuild = z.output<typeof ProjectionView>['lastRebuild'];

const viewOf = (
  { name, version, position, head, lagMs, parked, rebuild }: ProjectionStatus,
  lastRebuild: LastRebuild,
): z.output<typeof ProjectionView> => ({
  name,
  version,
  state: rebuild !== null ? 'rebuilding' : lagMs > LIVE_LAG_MS ? 'catching_up' : 'live',
  position: position.toString(),
  head: head.toString(),
  behind: (head > position ? head - position : 0n).toString(),
  lagMs,
  parked,
  lastRebuild,
  rebuild:
    rebuild === null
      ? null
      : {
          startedAt: rebuild.startedAt,
          position: rebuild.position.toString(),
          progress: rebuild.target === null || rebuild.target === 0n ? 0 : Number((rebuild.position * 1_000n) / rebuild.target) / 1_000,
        },
});

const parkedView = ({
  id,
  projection,
  stream,
  position,
  type,
  error,
  attempts,
  parkedAt,
  waiting,
}: ParkedEvent): z.output<typeof ParkedView> => ({
  parkedId: id.toString(),
  projection,
  worker: null,
  stream,
  position: position.toString(),
  type,
  error,
  attempts,
  parkedAt,
  waiting,
});

const parkedIdOf = (text: string): bigint | null => (/^\d{1,18}$/.test(text) ? BigInt(text) : null);

const NO_SUCH_PROJECTION = refuse('not_found', 'There is no such read model.');
const NOT_PARKED = refuse('not_found', 'Nothing is parked under this id.');
const ONLY_WAITING = refuse('wrong_state', 'Nothing is known to be wrong with this event: it waits behind another of its stream.');
const BUSY = refuse('wrong_state', 'This process is rebuilding or comparing a read model already. Wait until it is done.');

/** What is wrong with the read model or the moment, rather than with this program. */
const refusalOf = (error: unknown, stopping: AbortSignal): Refusal => {
  if (stopping.aborted) return refuse('shutting_down');
  if (error instanceof PoisonEvent) return refuse('wrong_state', error.message);
  if (error instanceof CheckpointMoved) return refuse('conflict', 'Somebody else rebuilds or compares this read model.');
  if (error instanceof LiveReadModelBehind) return refuse('read_model_behind', `There is nothing to compare with: ${error.message}.`);
  if (error instanceof ReadModelsUnavailable)
    return refuse('read_model_behind', 'The read models cannot be reached at the moment; try again.');
  throw error;
};

export const readModelCare = (deps: ReadModelCareDeps): ReadModelCare => {
  const { feed, database, projections, board, clock, owner, stopping } = deps;
  let busy = false;
  const lastRebuilds = new Map<string, LastRebuild>();

  const optionsFor = (projection: Projection): RebuildOptions => ({ feed, database, projection, board, clock, owner, signal: stopping });

  const alone = async <Result>(work: () => Promise<Result>): Promise<Result | Refusal> => {
    if (busy) return BUSY;
    busy = true;
    try {
      return await work();
    } finally {
      busy = false;
    }
  };

  /** What is parked under the id, handed to `work` with its projection. */
  const unpark = async (
    parkedId: string,
    work: (projection: Projection, parked: Pick<ParkedEvent, 'id' | 'stream' | 'waiting'>) => Promise<Unparking | Refusal>,
  ): Promise<null | Refusal> => {
    const id = parkedIdOf(parkedId);
    const [parked] = id === null ? [] : await readParked(database, { id, limit: 1 });
    const projection = projections.find(({ name, version }) => name === parked?.projection && version === parked.version);
    if (parked === undefined || projection === undefined) return NOT_PARKED;
    const unparking = await work(projection, parked);
    if (isRefusal(unparking)) return unparking;
    const { error } = unparking;
    return error === null ? null : refuse('wrong_state', `An event of ${parked.stream} still cannot be applied: ${error}`);
  };

  return {
    status: async () => ({
      rows: (await projectionStatus({ sql: database, feed, projections, clock })).map((status) =>
        viewOf(status, lastRebuilds.get(status.name) ?? null),
      ),
    }),

    rebuild: async (name) => {
      const projection = projections.find((known) => known.name === name);
      if (projection === undefined) return NO_SUCH_PROJECTION;
      if (busy) return BUSY;
      const ended = (failure: string | null): void =>
        void lastRebuilds.set(name, { endedAt: new Date(clock.now()).toISOString(), failure });
      alone(() => rebuildProjection(optionsFor(projection))).then(
        () => ended(null),
        (error: unknown) => {
          ended(error instanceof Error ? error.message : String(error));
          if (!stopping.aborted) deps.failed(name, error);
        },
      );
      return { name, version: projection.version };
    },

    compare: async (name) => {
      const projection = projections.find((known) => known.name === name);
      if (projection === undefined) return NO_SUCH_PROJECTION;
      try {
        return await alone(async () => {
          const { position, equal, live, rebuilt } = await compareProjection(optionsFor(projection));
          return { name, position: position.toString(), equal, liveDigest: live.digest, rebuiltDigest: rebuilt.digest, rows: live.rows };
        });
      } catch (error) {
        return refusalOf(error, stopping);
      }
    },

    parked: async ({ projection }, { cursor, limit }) => {
      const after = parkedIdOf(cursor ?? '');
      const found = await readParked(database, {
        limit: limit + 1,
        ...(projection === undefined ? {} : { projection }),
        ...(after === null ? {} : { after }),
      });
      const rows = found.slice(0, limit);
      return {
        rows: rows.map(parkedView),
        nextCursor: found.length > limit ? (rows.at(-1)?.id.toString() ?? null) : null,
      };
    },

    parkedEvent: async (parkedId) => {
      const id = parkedIdOf(parkedId);
      const [parked] = id === null ? [] : await readParked(database, { id, limit: 1 });
      return parked === undefined ? NOT_PARKED : { parked: parkedView(parked), event: eventView(parked.event) };
    },

    retryParked: (parkedId) => unpark(parkedId, (projection, { stream }) => retryParked(database.transaction, projection, stream)),
    discardParked: (parkedId) =>
      unpark(parkedId, async (projection, parked) =>
        parked.waiting ? ONLY_WAITING : discardParked(database.transaction, projection, parked),
      ),
  };
};
