import { setImmediate as otherWork } from 'node:timers/promises';
import type { RecordedEvent } from '../../schemas/event-envelope.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { decodeForProjection, type Decoding } from './event-decoding.ts';
import { gatherFor, type Target } from './gathered.ts';
import { insertParked, type NewlyParked } from './parked-events.ts';
import type { ProjectedEvent } from './projected-event.ts';
import type { Projection } from './projection.ts';
import { ReadModelsUnavailable } from './read-models-unavailable.ts';

/** A recorded event, decoded once for all projections. */
export interface BatchEvent {
  readonly recorded: RecordedEvent;
  readonly decoding: Decoding;
}

/** Decoded at one go: what runs beside waits no longer than a few milliseconds. */
export const DECODED_AT_ONCE = 250;

const decoded = (recorded: RecordedEvent): BatchEvent => ({ recorded, decoding: decodeForProjection(recorded) });

/** Events in log order. */
export class Batch {
  readonly all: readonly BatchEvent[];
  readonly #types: ReadonlySet<string>;

  constructor(all: readonly BatchEvent[]) {
    this.all = all;
    this.#types = new Set(all.map(({ recorded }) => recorded.type));
  }

  static async of(recorded: readonly RecordedEvent[]): Promise<Batch> {
    const all: BatchEvent[] = [];
    for (const event of recorded) {
      if (all.length > 0 && all.length % DECODED_AT_ONCE === 0) await otherWork();
      all.push(decoded(event));
    }
    return new Batch(all);
  }

  /** What a projection handles, in order. Throws when one of these events cannot be decoded. */
  wantedBy(projection: Projection): readonly ProjectedEvent[] {
    const wanted: ProjectedEvent[] = [];
    // Most projections want nothing of most batches.
    if (!projection.types.some((type) => this.#types.has(type))) return wanted;
    for (const { recorded, decoding } of this.all) {
      if (!handles(projection, recorded.type)) continue;
      if (decoding.outcome === 'decoded') wanted.push(decoding.event);
      else if (decoding.outcome === 'undecodable') throw new PoisonEvent(projection.name, recorded, decoding.error);
    }
    return wanted;
  }
}

/** An event that a projection cannot apply. */
export class PoisonEvent extends Error {
  readonly projection: string;
  readonly event: Pick<RecordedEvent, 'stream' | 'position' | 'type'>;

  constructor(projection: string, event: RecordedEvent, cause: Error) {
    super(`${projection} cannot apply ${event.type} at position ${event.position} of ${event.stream}: ${cause.message}`, { cause });
    this.name = 'PoisonEvent';
    this.projection = projection;
    this.event = { stream: event.stream, position: event.position, type: event.type };
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

const handledTypes = new WeakMap<Projection, ReadonlySet<string>>();

const handles = (projection: Projection, type: string): boolean => {
  let types = handledTypes.get(projection);
  if (types === undefined) {
    types = new Set(projection.types);
    handledTypes.set(projection, types);
  }
  return types.has(type);
};

const apply = async (tx: Sql, target: Target, events: readonly ProjectedEvent[]): Promise<void> => {
  if (events.length === 0) return;
  const gathered = gatherFor(target);
  for (const event of events) gathered.add(event);
  await gathered.write(tx);
};

/**
 * Applies a batch as a whole. Throws when an event cannot be decoded or applied; the transaction is then of no use, and
 * {@link applyOneByOne} in another finds the event.
 */
export const applyWhole = async (tx: Sql, target: Target, batch: Batch, blocked: ReadonlySet<string>): Promise<void> => {
  const { projection } = target;
  if (blocked.size === 0) return apply(tx, target, batch.wantedBy(projection));
  const events: ProjectedEvent[] = [];
  const waiting: NewlyParked[] = [];
  for (const { recorded, decoding } of batch.all) {
    if (!handles(projection, recorded.type)) continue;
    if (blocked.has(recorded.stream)) waiting.push({ event: recorded, waiting: true, error: '' });
    else if (decoding.outcome === 'decoded') events.push(decoding.event);
    else if (decoding.outcome === 'undecodable') throw new PoisonEvent(projection.name, recorded, decoding.error);
  }
  await apply(tx, target, events);
  await insertParked(tx, projection, waiting);
};

/** Runs `work` so that its failure takes back only what it did itself. Answers with the failure. */
const attempt = async (tx: Sql, { partitions }: Target, work: () => Promise<void>): Promise<Error | null> => {
  await tx.query('SAVEPOINT attempt');
  try {
    await work();
    await tx.query('RELEASE SAVEPOINT attempt');
    return null;
  } catch (thrown) {
    if (thrown instanceof ReadModelsUnavailable) throw thrown;
    await tx.query('ROLLBACK TO SAVEPOINT attempt');
    partitions.forget();
    return asError(thrown);
  }
};

/** Applies one event or says why that cannot be done, leaving the transaction fit for use. */
export const applyOne = async (tx: Sql, target: Target, { recorded, decoding }: BatchEvent): Promise<PoisonEvent | null> => {
  const { projection } = target;
  if (!handles(projection, recorded.type) || decoding.outcome === 'unknown') return null;
  const failure =
    decoding.outcome === 'undecodable' ? decoding.error : await attempt(tx, target, () => apply(tx, target, [decoding.event]));
  return failure === null ? null : new PoisonEvent(projection.name, recorded, failure);
};

/** Applies a batch event by event, parking what cannot be applied and, behind it, whatever else is of its stream. Answers with what was found. */
export const applyOneByOne = async (
  tx: Sql,
  target: Target,
  batch: Batch,
  blocked: ReadonlySet<string>,
): Promise<readonly PoisonEvent[]> => {
  const { projection } = target;
  if ((await attempt(tx, target, () => applyWhole(tx, target, batch, blocked))) === null) return [];
  const aside = new Set(blocked);
  const parked: NewlyParked[] = [];
  const poison: PoisonEvent[] = [];
  for (const event of batch.all) {
    if (!handles(projection, event.recorded.type)) continue;
    if (aside.has(event.recorded.stream)) {
      parked.push({ event: event.recorded, waiting: true, error: '' });
      continue;
    }
    const found = await applyOne(tx, target, event);
    if (found === null) continue;
    aside.add(event.recorded.stream);
    poison.push(found);
    parked.push({ event: event.recorded, waiting: false, error: asError(found.cause).message });
  }
  await insertParked(tx, projection, parked);
  return poison;
};

/** The first event of a batch that cannot be applied, in a transaction that is thrown away. */
export const findPoison = async (tx: Sql, target: Target, batch: Batch): Promise<PoisonEvent | null> => {
  for (const event of batch.all) {
    const found = await applyOne(tx, target, event);
    if (found !== null) return found;
  }
  return null;
};
