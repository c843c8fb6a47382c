import type { AnyWorker } from '../../commands/workers/worker.ts';
import { eventView } from '../../gateways/console/event-view.ts';
import type { WorkerCare } from '../../gateways/ports/worker-care.ts';
import type { Clock } from '../../projections/ports/clock.ts';
import type { EventFeed } from '../../projections/ports/event-feed.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import { refuse } from '../../schemas/errors.ts';
import type { ParkedView } from '../../schemas/http/projections.ts';
import { START } from '../../schemas/event-envelope.ts';
import { migrateWork } from './work-schema.ts';
import { countWork, discardWork, readParkedWork, readProgress, unparkWork, type ParkedWork } from './work-table.ts';
import { readCheckpoints } from './worker-checkpoint.ts';
import { furthestPositions } from './worker-offsets.ts';
import type { z } from 'zod';

export interface WorkerCareDeps {
  /** What this program knows of workers, whether or not it runs them. */
  readonly workers: readonly Pick<AnyWorker, 'name' | 'types'>[];
  readonly feed: EventFeed;
  readonly database: ReadModelDatabase;
  readonly clock: Clock;
}

const NOT_PARKED = refuse('not_found', 'Nothing is parked under this id.');

/** `w17`: read models number what they have parked as well. */
const parkedIdOf = (id: bigint): string => `w${id}`;
const idIn = (text: string): bigint | null => (/^w\d{1,18}$/.test(text) ? BigInt(text.slice(1)) : null);

const viewOf = ({ id, worker, event, error, attempts, parkedAt }: ParkedWork): z.output<typeof ParkedView> => ({
  parkedId: parkedIdOf(id),
  projection: null,
  worker,
  stream: event.stream,
  position: event.position.toString(),
  type: event.type,
  error,
  attempts,
  parkedAt,
  waiting: false,
});

export const workerCare = ({ workers, feed, database, clock }: WorkerCareDeps): WorkerCare => {
  let ready: Promise<void> | null = null;
  /** Whoever looks may come before the first worker has run. */
  const tables = async (): Promise<void> => {
    ready ??= database.transaction(migrateWork).catch((error: unknown) => {
      ready = null;
      throw error;
    });
    await ready;
  };

  const one = async (parkedId: string): Promise<ParkedWork | null> => {
    const id = idIn(parkedId);
    if (id === null) return null;
    await tables();
    return (await readParkedWork(database, { id, limit: 1 }))[0] ?? null;
  };

  return {
    status: async () => {
      await tables();
      const head = await feed.head();
      const [places, counts] = [await readCheckpoints(database), await countWork(database)];
      const furthest = await furthestPositions(database);
      const rows = [];
      for (const { name, types } of workers) {
        const place = places.find(({ worker }) => worker === name);
        const count = counts.find(({ worker }) => worker === name);
        const followed = place?.position ?? START;
        const inKafka = furthest.get(name) ?? START;
        const position = inKafka > followed ? inKafka : followed;
        let oldest = count?.oldest ?? null;
        if (place !== undefined && position < head)
          for await (const { recordedAt } of feed.readAll({ after: position, upTo: head, filter: { types }, limit: 1 }))
            if (oldest === null || recordedAt < oldest) oldest = recordedAt;
        rows.push({
          name,
          position: position.toString(),
          head: head.toString(),
          lagMs: oldest === null ? 0 : Math.max(0, clock.now() - Date.parse(oldest)),
          waiting: Number(count?.waiting ?? 0),
          parked: Number(count?.parked ?? 0),
          process: place?.owner ?? null,
        });
      }
      return { rows };
    },

    progress: async (worker, streams) => {
      if (streams.length === 0) return new Map();
      await tables();
      return new Map((await readProgress(database, worker, streams)).map(({ stream, done }) => [stream, done]));
    },

    parked: async ({ worker }, { cursor, limit }) => {
      await tables();
      const after = idIn(cursor ?? '');
      const found = await readParkedWork(database, {
        limit: limit + 1,
        ...(worker === undefined ? {} : { worker }),
        ...(after === null ? {} : { after }),
      });
      const rows = found.slice(0, limit);
      const last = rows.at(-1);
      return { rows: rows.map(viewOf), nextCursor: found.length > limit && last !== undefined ? parkedIdOf(last.id) : null };
    },

    parkedEvent: async (parkedId) => {
      const parked = await one(parkedId);
      return parked === null ? NOT_PARKED : { parked: viewOf(parked), event: eventView(parked.event) };
    },

    retryParked: async (parkedId) => {
      const parked = await one(parkedId);
      return parked !== null && (await unparkWork(database, parked.id)) ? null : NOT_PARKED;
    },

    discardParked: async (parkedId) => {
      const parked = await one(parkedId);
      return parked !== null && (await discardWork(database, parked.id)) ? null : NOT_PARKED;
    },
  };
};
