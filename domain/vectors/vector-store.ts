import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { EventOf, VectorStoreEvent } from '../../schemas/events/catalogue.ts';
import type { StreamName, VectorStoreId } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const vectorStoreStream = (storeId: VectorStoreId): StreamName => streamName('vectorstore', storeId);

type Created = EventOf<'VectorStoreCreated'>['data'];

export interface VectorStore {
  /** With the name and the metadata that it has now; `null`: there is none. */
  readonly created: Created | null;
  /** ISO 8601. */
  readonly changedAt: string | null;
  readonly deleted: boolean;
}

const initial: VectorStore = { created: null, changedAt: null, deleted: false };

const evolve = (state: VectorStore, event: VectorStoreEvent): VectorStore => {
  switch (event.type) {
    case 'VectorStoreCreated':
      return { created: event.data, changedAt: event.data.at, deleted: false };
    case 'VectorStoreChanged': {
      const { name, metadata, at } = event.data;
      return { ...state, created: state.created === null ? null : { ...state.created, name, metadata }, changedAt: at };
    }
    case 'VectorStoreDeleted':
      return { ...state, deleted: true };
  }
};

/** `at`: ISO 8601. */
export type VectorStoreCommand =
  | { readonly kind: 'create'; readonly created: Created }
  | {
      readonly kind: 'change';
      /** `undefined` leaves it as it is. */
      readonly name: string | null | undefined;
      readonly metadata: Created['metadata'] | undefined;
      readonly at: string;
    }
  | { readonly kind: 'delete'; readonly at: string };

const decide = (command: VectorStoreCommand, { created, deleted }: VectorStore): readonly VectorStoreEvent[] | Refusal => {
  if (command.kind === 'create') return created === null ? [{ type: 'VectorStoreCreated', data: command.created }] : [];
  if (created === null || (deleted && command.kind === 'change')) return refuse('not_found', 'There is no such vector store.');
  const { storeId, userId } = created;
  const { at } = command;
  if (command.kind === 'delete') return deleted ? [] : [{ type: 'VectorStoreDeleted', data: { storeId, userId, at } }];
  const { name = created.name, metadata = created.metadata } = command;
  return [{ type: 'VectorStoreChanged', data: { storeId, userId, name, metadata, at } }];
};

/** A store of files that can be searched by what they mean. */
export const vectorStore: Decider<VectorStore, VectorStoreCommand, VectorStoreEvent> = { initial, evolve, decide };
