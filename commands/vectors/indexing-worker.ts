import { fileOf, fileStream } from '../../domain/file/file.ts';
import { isoInstant } from '../../domain/kernel/iso-instant.ts';
import { extractText } from '../../domain/vectors/extract-text.ts';
import { cutText } from '../../domain/vectors/text-chunks.ts';
import { vectorBatch, vectorBatchStream } from '../../domain/vectors/vector-batch.ts';
import { vectorFile, vectorFileStream, type Attached, type VectorFile, type VectorFileStep } from '../../domain/vectors/vector-file.ts';
import { vectorStore, vectorStoreStream } from '../../domain/vectors/vector-store.ts';
import { isRefusal, refuse, type ErrorCode, type Refusal } from '../../schemas/errors.ts';
import type { VectorFileFault } from '../../schemas/events/vector-store.ts';
import type { CommandLog } from '../command-log.ts';
import { fileBlob } from '../files/file-blob.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Clock } from '../ports/clock.ts';
import type { Embedder } from '../ports/embedder.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import { readState } from '../read-state.ts';
import { workerOf, type AnyWorker, type WorkContext } from '../workers/worker.ts';
import { chargeOf } from './charge-of.ts';
import { GROUP, type KeptVectors } from './kept-vectors.ts';
import { runVectorFileCommand } from './run-vector-command.ts';

export interface IndexingDeps extends CommandLog {
  readonly blobs: Blobs;
  readonly kept: KeptVectors;
  readonly embedder: Embedder;
  readonly index: VectorIndex;
  readonly clock: Clock;
}

/** Of one file. */
const MOST_CHUNKS = 20_000;
/** The most numbers that an index takes of a vector. */
const MOST_DIMENSIONS = 4_000;

/** What trying again does not mend. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  ...(['invalid_request', 'invalid_json', 'endpoint_not_allowed', 'model_not_allowed', 'model_not_found', 'model_without_price'] as const),
  ...(['key_revoked', 'key_disabled', 'key_expired', 'key_exhausted', 'user_suspended', 'insufficient_quota', 'cap_reached'] as const),
]);

type Outcome =
  /** It is in the index, or nobody wants it there any more. */
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly code: VectorFileFault; readonly message: string }
  | { readonly kind: 'later'; readonly refusal: Refusal };

const failed = (code: VectorFileFault, message: string): Outcome => ({ kind: 'failed', code, message });
const DONE: Outcome = { kind: 'done' };

const decoded = (bytes: Buffer): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
};

/**
 * Puts files that were attached to vector stores into the index: text, chunks, vectors. Vectors are kept before they are charged and used
 * once they are, so that whatever dies in between nothing is charged twice.
 */
export const indexingWorker = (deps: IndexingDeps): AnyWorker => {
  const { log, blobs, kept, embedder, index, clock } = deps;

  const stateOf = ({ storeId, fileId }: Attached): Promise<VectorFile> => readState(log, vectorFileStream(storeId, fileId), vectorFile);

  const record = async (
    { storeId, fileId, vectorFileId, userId }: Attached,
    step: VectorFileStep,
    context: WorkContext,
  ): Promise<Refusal | null> => {
    const now = clock.now();
    const command = { kind: 'step', vectorFileId, step, at: isoInstant(now) } as const;
    const done = await runVectorFileCommand(deps, { storeId, fileId }, command, context.command(userId, `${step.kind}:${now}`));
    return isRefusal(done) ? done : null;
  };

  /** Whether it is to be indexed, still. What nobody wants leaves nothing behind. */
  const isWanted = async (attached: Attached, context: WorkContext): Promise<boolean> => {
    const { vectorFileId, storeId, fileId, batchId } = attached;
    const now = await stateOf(attached);
    const isIn = now.attached?.vectorFileId === vectorFileId;
    if (isIn && now.status === 'completed') return false;
    const [store, file, batch] = await Promise.all([
      readState(log, vectorStoreStream(storeId), vectorStore),
      readState(log, fileStream(fileId), fileOf(fileId)),
      batchId === null ? null : readState(log, vectorBatchStream(batchId), vectorBatch),
    ]);
    const isGone = !isIn || store.deleted || file.deleted;
    const isCancelled = now.status === 'cancelled' || batch?.cancelled === true;
    if (!isGone && !isCancelled) return true;
    await kept.remove([vectorFileId]);
    if (isGone) await index.remove({ vectorFileIds: [vectorFileId] });
    const refusal = isIn ? await record(attached, { kind: isGone ? 'remove' : 'cancel' }, context) : null;
    if (refusal !== null) throw new Error(refusal.message);
    return false;
  };

  /** The vectors of one group, charged once whoever asked for them and died. */
  const groupOf = async ({ vectorFileId, userId, tokenId, model }: Attached, group: number, texts: readonly string[]) => {
    const known = await kept.vectors(vectorFileId, group);
    if (known !== null) {
      const charge = await chargeOf(log, known.leaseId, known.requestId);
      if (charge === 'charged') return known;
      // Whoever asked for them may be slow, and charge them yet; the end of the lease is the end of that.
      if (charge === 'open') return refuse('conflict', 'Another process is still paying for this part of the file.');
    }
    return embedder.embed({
      ...{ tokenId, model, texts },
      keep: async (embedded) => {
        if ((embedded.vectors[0]?.length ?? 0) > MOST_DIMENSIONS)
          return refuse('invalid_request', `The model "${model}" makes vectors of more than ${MOST_DIMENSIONS} numbers.`);
        const isOurs = await kept.putVectors(vectorFileId, userId, group, embedded, known);
        return isOurs ? null : refuse('conflict', 'Another process is paying for this part of the file.');
      },
    });
  };

  const work = async (attached: Attached, context: WorkContext): Promise<Outcome> => {
    if (!(await isWanted(attached, context))) return DONE;
    const { vectorFileId, storeId, fileId, userId, filename, chunking } = attached;
    const file = await blobs.get(fileBlob(fileId), 0);
    if (file === null) return failed('invalid_file', 'The file is gone.');
    const extracted = extractText(filename, () => decoded(file.bytes));
    if ('code' in extracted) return failed(extracted.code, extracted.message);
    const chunks = cutText(extracted.text, chunking);
    if (chunks.length > MOST_CHUNKS) return failed('invalid_file', `The file has more than ${MOST_CHUNKS} chunks.`);

    let bytes = 0;
    let dimensions = 0;
    for (let group = 0; group * GROUP < chunks.length; group++) {
      context.signal.throwIfAborted();
      const texts = chunks.slice(group * GROUP, (group + 1) * GROUP);
      await kept.putTexts(vectorFileId, userId, group, texts);
      const embedded = await groupOf(attached, group, texts);
      if (isRefusal(embedded))
        return FINAL.has(embedded.refused)
          ? failed('server_error', `${embedded.refused}: ${embedded.message}`)
          : { kind: 'later', refusal: embedded };
      const length = embedded.vectors[0]?.length ?? 0;
      if (group > 0 && length !== dimensions) return failed('server_error', 'The model’s vectors are not all of one length.');
      dimensions = length;
      bytes += texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) + texts.length * dimensions * 4;
      context.progress(Math.min((group + 1) * GROUP, chunks.length), chunks.length);
      if (!(await isWanted(attached, context))) return DONE;
    }
    const { attached: now } = await stateOf(attached);
    const place = { vectorFileId, storeId, userId, fileId, filename, attributes: now?.attributes ?? attached.attributes };
    if (!(await index.fill(place, kept.allVectors(vectorFileId)))) {
      await kept.remove([vectorFileId]);
      return DONE;
    }
    // Taken out, or described anew, while it was put there.
    if (!(await isWanted(attached, context))) return DONE;
    const { attached: later } = await stateOf(attached);
    if (later !== null) await index.describe(vectorFileId, later.attributes);
    const refusal = await record(attached, { kind: 'complete', indexed: { chunks: chunks.length, dimensions, bytes } }, context);
    return refusal === null ? DONE : { kind: 'later', refusal };
  };

  return workerOf({
    name: 'vector-indexing',
    types: ['VectorFileAttached'],
    takesLong: true,
    handle: async ({ data: attached }, context) => {
      const giveUp = async (message: string): Promise<void> => {
        if (!context.isLast || context.signal.aborted) return;
        await record(attached, { kind: 'fail', code: 'server_error', message: message.slice(0, 500) }, context);
      };
      try {
        const outcome = await work(attached, context);
        switch (outcome.kind) {
          case 'done':
            return null;
          case 'failed':
            return await record(attached, { kind: 'fail', code: outcome.code, message: outcome.message.slice(0, 500) }, context);
          case 'later':
            await giveUp(outcome.refusal.message);
            return outcome.refusal;
        }
      } catch (error) {
        await giveUp(error instanceof Error ? error.message : String(error));
        throw error;
      }
    },
  });
};
