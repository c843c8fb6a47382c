import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { EventOf, VectorFileEvent } from '../../schemas/events/catalogue.ts';
import type { VectorFileFault } from '../../schemas/events/vector-store.ts';
import type { FileId, StreamName, VectorFileId, VectorStoreId } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const vectorFileStream = (storeId: VectorStoreId, fileId: FileId): StreamName => streamName('vectorfile', `${storeId}.${fileId}`);

export type Attached = EventOf<'VectorFileAttached'>['data'];
export type Indexed = EventOf<'VectorFileIndexed'>['data'];

/** A file in a store. */
export interface VectorFile {
  /** With the attributes that it has now; `null`: it is not in the store. */
  readonly attached: Attached | null;
  readonly status: 'in_progress' | 'completed' | 'failed' | 'cancelled';
  readonly indexed: Indexed | null;
  readonly fault: { readonly code: VectorFileFault; readonly message: string } | null;
}

const initial: VectorFile = { attached: null, status: 'in_progress', indexed: null, fault: null };

const evolve = (state: VectorFile, event: VectorFileEvent): VectorFile => {
  const { attached } = state;
  if (event.type === 'VectorFileAttached') return { ...initial, attached: event.data };
  // Of an earlier time that it was there.
  if (attached?.vectorFileId !== event.data.vectorFileId) return state;
  switch (event.type) {
    case 'VectorFileIndexed':
      return { attached, status: 'completed', indexed: event.data, fault: null };
    case 'VectorFileFailed':
      return { ...state, status: 'failed', fault: { code: event.data.code, message: event.data.message } };
    case 'VectorFileCancelled':
      return { ...state, status: 'cancelled' };
    case 'VectorFileDescribed':
      return { ...state, attached: { ...attached, attributes: event.data.attributes } };
    case 'VectorFileRemoved':
      return initial;
  }
};

/** What becomes of a file that was put into a store. */
export type VectorFileStep =
  | { readonly kind: 'complete'; readonly indexed: Pick<Indexed, 'chunks' | 'dimensions' | 'bytes'> }
  | { readonly kind: 'fail'; readonly code: VectorFileFault; readonly message: string }
  | { readonly kind: 'describe'; readonly attributes: Attached['attributes'] }
  | { readonly kind: 'cancel' | 'remove' };

/** `at`: ISO 8601. A step is about one time that the file was put there, and does nothing at any other. */
export type VectorFileCommand =
  | { readonly kind: 'attach'; readonly attached: Attached }
  | { readonly kind: 'step'; readonly vectorFileId: VectorFileId; readonly step: VectorFileStep; readonly at: string };

const decide = (command: VectorFileCommand, { attached, status }: VectorFile): readonly VectorFileEvent[] | Refusal => {
  if (command.kind === 'attach') {
    // One that failed is put there anew, which tries it again.
    const isThere = attached !== null && (status === 'in_progress' || status === 'completed');
    return isThere ? [] : [{ type: 'VectorFileAttached', data: command.attached }];
  }
  const { step } = command;
  if (attached?.vectorFileId !== command.vectorFileId)
    return step.kind === 'describe' ? refuse('not_found', 'There is no such file in this vector store.') : [];
  const { vectorFileId, storeId, fileId, userId } = attached;
  const about = { vectorFileId, storeId, fileId, userId, at: command.at };
  switch (step.kind) {
    case 'complete':
      // An operator may have had it tried again after it had failed.
      return status === 'in_progress' || status === 'failed' ? [{ type: 'VectorFileIndexed', data: { ...about, ...step.indexed } }] : [];
    case 'fail':
      return status === 'in_progress' ? [{ type: 'VectorFileFailed', data: { ...about, code: step.code, message: step.message } }] : [];
    case 'cancel':
      return status === 'in_progress' ? [{ type: 'VectorFileCancelled', data: about }] : [];
    case 'describe':
      return [{ type: 'VectorFileDescribed', data: { ...about, attributes: step.attributes } }];
    case 'remove':
      return [{ type: 'VectorFileRemoved', data: about }];
  }
};

export const vectorFile: Decider<VectorFile, VectorFileCommand, VectorFileEvent> = { initial, evolve, decide };
