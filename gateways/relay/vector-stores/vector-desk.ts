import { fileBlob } from '../../../commands/files/file-blob.ts';
import type { CommandContext } from '../../../commands/command-context.ts';
import type { CommandLog } from '../../../commands/command-log.ts';
import { orLogUnavailable } from '../../../commands/log-unavailable.ts';
import { ownContext } from '../../../commands/own-context.ts';
import type { Blobs } from '../../../commands/ports/blobs.ts';
import type { Clock } from '../../../commands/ports/clock.ts';
import type { IdSource } from '../../../commands/ports/id-source.ts';
import type { Removal, VectorIndex } from '../../../commands/ports/vector-index.ts';
import { readState } from '../../../commands/read-state.ts';
import type { KeptVectors } from '../../../commands/vectors/kept-vectors.ts';
import { runStoreCommand, runVectorBatchCommand, runVectorFileCommand } from '../../../commands/vectors/run-vector-command.ts';
import { decodeEvent } from '../../../domain/kernel/event-codec.ts';
import { isoInstant } from '../../../domain/kernel/iso-instant.ts';
import { tokenStream } from '../../../domain/token/token.ts';
import { vectorBatch, vectorBatchStream, type VectorBatch } from '../../../domain/vectors/vector-batch.ts';
import { vectorFile, vectorFileStream, type Attached, type VectorFile, type VectorFileStep } from '../../../domain/vectors/vector-file.ts';
import { vectorStore, vectorStoreStream, type VectorStore } from '../../../domain/vectors/vector-store.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { EventOf } from '../../../schemas/events/catalogue.ts';
import type { KeyHash } from '../../../schemas/events/token.ts';
import type { Chunking, FileAttributes, StoreMetadata } from '../../../schemas/events/vector-store.ts';
import { FileId, VectorBatchId, VectorFileId, VectorStoreId, type TokenId, type UserId } from '../../../schemas/ids.ts';
import type { VectorLists } from '../../ports/vector-lists.ts';
import type { VectorHit, VectorQuestion, VectorSearcher } from '../../ports/vector-searcher.ts';
import type { Caller } from '../call.ts';
import type { KeptFile } from '../files/file-desk.ts';

export interface VectorDeskDeps extends CommandLog {
  readonly lists: VectorLists;
  readonly index: Pick<VectorIndex, 'describe' | 'remove'> & VectorSearcher;
  readonly blobs: Blobs;
  readonly kept: KeptVectors;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Used where a store names none; `null`: the first that its key may use. */
  readonly usualModel: string | null;
}

/** A store that is there, and whose it is. */
export type SeenStore = EventOf<'VectorStoreCreated'>['data'] & { readonly changedAt: string };

/** A file that is in a store. */
export type SeenFile = VectorFile & { readonly attached: Attached };

export type SeenBatch = EventOf<'VectorBatchCreated'>['data'] & { readonly cancelled: boolean };

/** How a file is put into a store. */
export interface Attaching {
  readonly file: KeptFile;
  readonly attributes: FileAttributes;
  readonly chunking: Chunking;
}

const NO_STORE = refuse('not_found', 'There is no such vector store.');
const NO_FILE = refuse('not_found', 'There is no such file in this vector store.');
const NO_BATCH = refuse('not_found', 'There is no such batch of files.');
const OUT_OF_REACH = refuse('read_model_behind', 'The index of vectors cannot be reached at the moment; try again.', {
  retryAfterSeconds: 1,
});

const MOST_IN_A_BATCH = 500;

/** Everything that is done about vector stores when somebody asks, in whatever process. */
export class VectorDesk {
  readonly #deps: VectorDeskDeps;

  constructor(deps: VectorDeskDeps) {
    this.#deps = deps;
  }

  get lists(): VectorLists {
    return this.#deps.lists;
  }

  get usualModel(): string | null {
    return this.#deps.usualModel;
  }

  /** Under which a key is known that something is done for while it is not shown; `null`: there is none. Throws `LogUnavailable`. */
  async keyHashOf(tokenId: TokenId): Promise<KeyHash | null> {
    for await (const recorded of this.#deps.log.readStream(tokenStream(tokenId), { limit: 1 })) {
      const event = decodeEvent(recorded);
      if (event.type === 'TokenIssued') return event.data.keyHash;
    }
    return null;
  }

  async create(
    { user, token }: Caller,
    asked: { readonly name: string | null; readonly metadata: StoreMetadata; readonly model: string },
  ): Promise<SeenStore | Refusal> {
    const storeId = VectorStoreId.parse(this.#deps.ids.next('vs'));
    const created = { storeId, userId: user.userId, tokenId: token.tokenId, at: this.#now(), ...asked };
    const done = await runStoreCommand(this.#deps, storeId, { kind: 'create', created }, this.#context(storeId, user.userId));
    return isRefusal(done) ? done : { ...created, changedAt: created.at };
  }

  /** A key's own store; any other is not found. */
  async ownStore(tokenId: TokenId, id: string): Promise<SeenStore | Refusal> {
    const storeId = VectorStoreId.safeParse(id);
    if (!storeId.success) return NO_STORE;
    const store = await orLogUnavailable(readState(this.#deps.log, vectorStoreStream(storeId.data), vectorStore));
    return isRefusal(store) ? store : seenStore(store, tokenId);
  }

  async change(
    { storeId, userId, tokenId }: SeenStore,
    asked: { readonly name: string | null | undefined; readonly metadata: StoreMetadata | undefined },
  ): Promise<SeenStore | Refusal> {
    const command = { kind: 'change', ...asked, at: this.#now() } as const;
    const done = await runStoreCommand(this.#deps, storeId, command, this.#context(storeId, userId));
    return isRefusal(done) ? done : seenStore(done.state, tokenId);
  }

  /** Nothing of it is found any more when this resolves with `null`. Its chunks and vectors are removed behind it. */
  async delete({ storeId, userId }: SeenStore): Promise<Refusal | null> {
    const removed = await this.#unindex({ storeId });
    if (removed !== null) return removed;
    const done = await runStoreCommand(this.#deps, storeId, { kind: 'delete', at: this.#now() }, this.#context(storeId, userId));
    return isRefusal(done) ? done : null;
  }

  /** What is in the store already, or on its way there, stays as it is. */
  async attach(
    { storeId, model }: SeenStore,
    { file, attributes, chunking }: Attaching,
    batchId: VectorBatchId | null = null,
  ): Promise<SeenFile | Refusal> {
    const { fileId, userId, tokenId, filename } = file;
    const vectorFileId = VectorFileId.parse(this.#deps.ids.next('vsf'));
    const attached: Attached = {
      ...{ vectorFileId, storeId, fileId, userId, tokenId, batchId, filename, attributes, chunking, model },
      at: this.#now(),
    };
    const done = await runVectorFileCommand(this.#deps, attached, { kind: 'attach', attached }, this.#context(vectorFileId, userId));
    return isRefusal(done) ? done : (seenFile(done.state) ?? NO_FILE);
  }

  async file({ storeId }: SeenStore, id: string): Promise<SeenFile | Refusal> {
    const fileId = FileId.safeParse(id);
    if (!fileId.success) return NO_FILE;
    const state = await orLogUnavailable(readState(this.#deps.log, vectorFileStream(storeId, fileId.data), vectorFile));
    return isRefusal(state) ? state : (seenFile(state) ?? NO_FILE);
  }

  async describe(file: SeenFile, attributes: FileAttributes): Promise<SeenFile | Refusal> {
    const state = await this.#step(file, { kind: 'describe', attributes });
    if (isRefusal(state)) return state;
    const { vectorFileId } = file.attached;
    const reached = await this.#reached(this.#deps.index.describe(vectorFileId, attributes));
    return reached ?? seenFile(state) ?? NO_FILE;
  }

  /** It is found no more when this resolves with `null`. */
  async remove(file: SeenFile): Promise<Refusal | null> {
    const { vectorFileId } = file.attached;
    const removed =
      (await this.#unindex({ vectorFileIds: [vectorFileId] })) ?? (await this.#reached(this.#deps.kept.remove([vectorFileId])));
    if (removed !== null) return removed;
    const state = await this.#step(file, { kind: 'remove' });
    return isRefusal(state) ? state : null;
  }

  /** A file is about to be deleted: it is found in no store any more. */
  forgetFile(fileId: FileId): Promise<Refusal | null> {
    return this.#unindex({ fileId });
  }

  /** What is kept of a file in a store, for its text to be shown. */
  async contentOf({ attached: { fileId } }: SeenFile): Promise<Buffer | Refusal> {
    try {
      return (await this.#deps.blobs.get(fileBlob(fileId), 0))?.bytes ?? NO_FILE;
    } catch {
      return OUT_OF_REACH;
    }
  }

  /** Puts files into a store together. */
  async createBatch(store: SeenStore, asked: readonly Attaching[]): Promise<SeenBatch | Refusal> {
    const { storeId, userId, tokenId } = store;
    const files = [...new Map(asked.map((each) => [each.file.fileId, each])).values()];
    let there = 0;
    for (const { file } of files) {
      const known = await this.file(store, file.fileId);
      if (isRefusal(known) ? known.refused !== 'not_found' : false) return known as Refusal;
      if (!isRefusal(known) && (known.status === 'in_progress' || known.status === 'completed')) there++;
    }
    const batchId = VectorBatchId.parse(this.#deps.ids.next('vsfb'));
    const created = { batchId, storeId, userId, tokenId, files: files.length, there, at: this.#now() };
    const done = await runVectorBatchCommand(this.#deps, batchId, { kind: 'create', created }, this.#context(batchId, userId));
    if (isRefusal(done)) return done;
    for (const each of files) {
      const attached = await this.attach(store, each, batchId);
      if (isRefusal(attached)) return attached;
    }
    return { ...created, cancelled: false };
  }

  async batch({ storeId }: SeenStore, id: string): Promise<SeenBatch | Refusal> {
    const batchId = VectorBatchId.safeParse(id);
    if (!batchId.success) return NO_BATCH;
    const state = await orLogUnavailable(readState(this.#deps.log, vectorBatchStream(batchId.data), vectorBatch));
    return isRefusal(state) ? state : seenBatch(state, storeId);
  }

  /** What is not in the store yet does not come there. */
  async cancelBatch(batch: SeenBatch): Promise<SeenBatch | Refusal> {
    const { batchId, storeId, userId } = batch;
    const command = { kind: 'cancel', at: this.#now() } as const;
    const done = await runVectorBatchCommand(this.#deps, batchId, command, this.#context(batchId, userId));
    if (isRefusal(done)) return done;
    const page = { status: 'in_progress', batchId, order: 'asc', limit: MOST_IN_A_BATCH, after: null, before: null } as const;
    // What the read model does not show yet is cancelled by whoever comes to index it.
    for (const { fileId } of await this.lists.files(storeId, page)) {
      const state = await orLogUnavailable(readState(this.#deps.log, vectorFileStream(storeId, fileId), vectorFile));
      const file = isRefusal(state) ? null : seenFile(state);
      if (file === null || file.attached.batchId !== batchId) continue;
      const cancelled = await this.#step(file, { kind: 'cancel' });
      if (isRefusal(cancelled)) return cancelled;
    }
    return { ...batch, cancelled: true };
  }

  async search(question: VectorQuestion): Promise<readonly VectorHit[] | Refusal> {
    try {
      return await this.#deps.index.search(question);
    } catch {
      return OUT_OF_REACH;
    }
  }

  /** The text of a chunk; `null`: it is gone. */
  async textOf({ vectorFileId, chunk }: VectorHit): Promise<string | null | Refusal> {
    try {
      return await this.#deps.kept.text(vectorFileId, chunk);
    } catch {
      return OUT_OF_REACH;
    }
  }

  async #step({ attached }: SeenFile, step: VectorFileStep): Promise<VectorFile | Refusal> {
    const { vectorFileId, userId } = attached;
    const command = { kind: 'step', vectorFileId, step, at: this.#now() } as const;
    const done = await runVectorFileCommand(this.#deps, attached, command, this.#context(vectorFileId, userId));
    return isRefusal(done) ? done : done.state;
  }

  #unindex(removal: Removal): Promise<Refusal | null> {
    return this.#reached(this.#deps.index.remove(removal));
  }

  #reached(work: Promise<void>): Promise<Refusal | null> {
    return work.then(
      () => null,
      () => OUT_OF_REACH,
    );
  }

  #now(): string {
    return isoInstant(this.#deps.clock.now());
  }

  #context(cause: string, userId: UserId): CommandContext {
    return ownContext(this.#deps, 'vector-stores', cause, userId);
  }
}

const seenStore = ({ created, changedAt, deleted }: VectorStore, tokenId: TokenId): SeenStore | Refusal =>
  created === null || changedAt === null || deleted || created.tokenId !== tokenId ? NO_STORE : { ...created, changedAt };

const seenFile = ({ attached, ...rest }: VectorFile): SeenFile | null => (attached === null ? null : { attached, ...rest });

const seenBatch = ({ created, cancelled }: VectorBatch, storeId: VectorStoreId): SeenBatch | Refusal =>
  created === null || created.storeId !== storeId ? NO_BATCH : { ...created, cancelled };
