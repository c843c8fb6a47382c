import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { EventOf, VectorBatchEvent } from '../../schemas/events/catalogue.ts';
import type { StreamName, VectorBatchId } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const vectorBatchStream = (batchId: VectorBatchId): StreamName => streamName('vectorbatch', batchId);

type Created = EventOf<'VectorBatchCreated'>['data'];

export interface VectorBatch {
  readonly created: Created | null;
  readonly cancelled: boolean;
}

const initial: VectorBatch = { created: null, cancelled: false };

const evolve = (state: VectorBatch, event: VectorBatchEvent): VectorBatch =>
  event.type === 'VectorBatchCreated' ? { created: event.data, cancelled: false } : { ...state, cancelled: true };

/** `at`: ISO 8601. */
export type VectorBatchCommand = { readonly kind: 'create'; readonly created: Created } | { readonly kind: 'cancel'; readonly at: string };

const decide = (command: VectorBatchCommand, { created, cancelled }: VectorBatch): readonly VectorBatchEvent[] | Refusal => {
  if (command.kind === 'create') return created === null ? [{ type: 'VectorBatchCreated', data: command.created }] : [];
  if (created === null) return refuse('not_found', 'There is no such batch of files.');
  const { batchId, storeId, userId } = created;
  return cancelled ? [] : [{ type: 'VectorBatchCancelled', data: { batchId, storeId, userId, at: command.at } }];
};

/** Files that were put into a store together. */
export const vectorBatch: Decider<VectorBatch, VectorBatchCommand, VectorBatchEvent> = { initial, evolve, decide };
