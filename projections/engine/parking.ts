import type { RunTransaction, Sql } from '../ports/read-model-database.ts';
import { applyOne, Batch } from './batch.ts';
import { ENGINE_SCHEMA } from './engine-schema.ts';
import { readParked, type ParkedEvent } from './parked-events.ts';
import { KnownPartitions } from './partitions.ts';
import type { Projection } from './projection.ts';

/** What became of a stream that was parked. */
export interface Unparking {
  /** Events that are now in the read model. */
  readonly applied: number;
  /** Events that stay parked: the first could not be applied, the others wait behind it. */
  readonly remaining: number;
  readonly error: string | null;
}

/** Applies what is parked of a stream, oldest first, up to the first event that still cannot be applied. */
const unpark = async (tx: Sql, projection: Projection, stream: string): Promise<Unparking> => {
  const parked = [...(await readParked(tx, { projection: projection.name, version: projection.version, stream }))].sort((a, b) =>
    a.position < b.position ? -1 : 1,
  );
  const target = { projection, partitions: new KnownPartitions(projection, 'live') };
  const applied: bigint[] = [];
  let error: string | null = null;
  for (const { id, event } of parked) {
    const [decoded] = (await Batch.of([event])).all;
    const poison = decoded === undefined ? null : await applyOne(tx, target, decoded);
    if (poison !== null) {
      error = poison.cause instanceof Error ? poison.cause.message : poison.message;
      await tx.query(`UPDATE ${ENGINE_SCHEMA}.parked_event SET waiting = false, error = $2, attempts = attempts + 1 WHERE id = $1`, [
        id,
        error,
      ]);
      break;
    }
    applied.push(id);
  }
  if (applied.length > 0) await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.parked_event WHERE id = ANY($1)`, [applied]);
  return { applied: applied.length, remaining: parked.length - applied.length, error };
};

/**
 * Holds the live projector off while `work` changes what is parked, and makes it look again afterwards: it may not go on
 * parking events of a stream that is free, nor apply events of one that is not.
 */
const withProjectorHeldOff = async (tx: Sql, { name, version }: Projection, work: () => Promise<Unparking>): Promise<Unparking> => {
  await tx.query(`UPDATE ${ENGINE_SCHEMA}.checkpoint SET epoch = epoch + 1 WHERE projection = $1 AND version = $2 AND build = 'live'`, [
    name,
    version,
  ]);
  return work();
};

/** Tries again what is parked of a stream, in order. */
export const retryParked = (transaction: RunTransaction, projection: Projection, stream: string): Promise<Unparking> =>
  transaction((tx) => withProjectorHeldOff(tx, projection, () => unpark(tx, projection, stream)));

/** Gives up on one parked event for good, and goes on with those that wait behind it. */
export const discardParked = (
  transaction: RunTransaction,
  projection: Projection,
  parked: Pick<ParkedEvent, 'id' | 'stream'>,
): Promise<Unparking> =>
  transaction((tx) =>
    withProjectorHeldOff(tx, projection, async () => {
      await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.parked_event WHERE id = $1`, [parked.id]);
      return unpark(tx, projection, parked.stream);
    }),
  );
