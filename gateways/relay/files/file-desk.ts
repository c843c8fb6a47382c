import { createHash } from 'node:crypto';
import { runBatchCommand } from '../../../commands/batches/run-batch-command.ts';
import { settleBatch, type BatchMeasure, type SettleBatchDeps } from '../../../commands/batches/settle-batch.ts';
import type { CommandContext } from '../../../commands/command-context.ts';
import { fileBlob } from '../../../commands/files/file-blob.ts';
import { runFileCommand } from '../../../commands/files/run-file-command.ts';
import { orLogUnavailable } from '../../../commands/log-unavailable.ts';
import { ownContext } from '../../../commands/own-context.ts';
import type { Blobs } from '../../../commands/ports/blobs.ts';
import type { Clock } from '../../../commands/ports/clock.ts';
import type { IdSource } from '../../../commands/ports/id-source.ts';
import { readState } from '../../../commands/read-state.ts';
import { batchOf, batchStream, type Batch, type BatchCommand } from '../../../domain/batch/batch.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { fileOf, fileStream, type StoredFile } from '../../../domain/file/file.ts';
import { isoInstant } from '../../../domain/kernel/iso-instant.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { BatchEnd } from '../../../schemas/events/batch.ts';
import type { EventOf } from '../../../schemas/events/catalogue.ts';
import { BatchId, FileId, type TokenId, type UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import type { BatchPage } from '../../../projections/batches/queries.ts';
import type { FileLists } from '../../ports/file-lists.ts';
import { BatchOutput } from './batch-output.ts';
import { readLines } from './file-lines.ts';
import { batchAddress } from './batch-address.ts';
import { askPlace, type PlaceDeps, type PlaceQuestion } from '../upstream-place.ts';

type Json = Readonly<Record<string, unknown>>;
export type FileUpload = EventOf<'FileUploaded'>['data'];
/** A file whose content is here. */
export type KeptFile = EventOf<'FileKept'>['data'];
export type OwnFile = FileUpload | KeptFile;
export type BatchSubmission = EventOf<'BatchSubmitted'>['data'];

export interface FileDeskDeps extends SettleBatchDeps, PlaceDeps {
  readonly lists: FileLists;
  /** Where the content of files is that are kept here. */
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly ids: IdSource;
}

export interface SeenBatch extends Batch {
  readonly submitted: BatchSubmission;
}

export const isKept = (file: OwnFile): file is KeptFile => !('upstreamId' in file);

const OUT_OF_REACH = refuse('log_unavailable', 'Files can be neither kept nor read at the moment; try again.');
const NO_FILE = refuse('not_found', 'There is no such file.');
const NO_BATCH = refuse('not_found', 'There is no such batch.');

/** A batch that was charged and of which no upstream was heard to have taken it, after this long never will be. */
const LOST_AFTER_MS = 900_000;
const LINE_BYTES = 32 * 1024 * 1024;
const MOST_IN_A_ROUND = 200;

const textIn = (said: Json, name: string): string | null => (typeof said[name] === 'string' && said[name] !== '' ? said[name] : null);

const counted = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0);

/** As clients of Anthropic know it. */
export const messageBatchId = (batchId: BatchId): string => `msg${batchId}`;

/** The same id for the same thing, whoever sees it first. */
const fileIdFor = (batchId: BatchId, upstreamId: string): FileId =>
  FileId.parse(`file-${createHash('sha256').update(`${batchId} ${upstreamId}`).digest('hex').slice(0, 32)}`);

/** Everything that is done about files and batches that lie at upstreams, in whatever process. */
export class FileDesk {
  readonly #deps: FileDeskDeps;

  constructor(deps: FileDeskDeps) {
    this.#deps = deps;
  }

  get lists(): FileLists {
    return this.#deps.lists;
  }

  /** How what lies elsewhere is asked. */
  get asking(): PlaceDeps {
    return this.#deps;
  }

  nextFileId(): FileId {
    return FileId.parse(this.#deps.ids.next('file').replace('_', '-'));
  }

  /** The same for the same key of a client's, where it gave one. */
  nextBatchId(tokenId: TokenId, idempotencyKey: string | null): BatchId {
    if (idempotencyKey === null) return BatchId.parse(this.#deps.ids.next('batch'));
    return BatchId.parse(`batch_${createHash('sha256').update(`${tokenId} ${idempotencyKey}`).digest('hex').slice(0, 32)}`);
  }

  /** Records a file that an upstream has taken. */
  async keep(upload: FileUpload): Promise<StoredFile | Refusal> {
    const done = await runFileCommand(this.#deps, upload.fileId, { kind: 'upload', upload }, this.#context(upload.fileId, upload.userId));
    return isRefusal(done) ? done : done.state;
  }

  /** Keeps a file here: its content first, so that what is on record is there. */
  async keepHere(kept: KeptFile, bytes: Buffer): Promise<StoredFile | Refusal> {
    const { fileId, userId } = kept;
    const id = fileBlob(fileId);
    if (!(await this.#reached(this.#deps.blobs.put({ id, part: 0, userId, tag: '', bytes })))) return OUT_OF_REACH;
    const done = await runFileCommand(this.#deps, fileId, { kind: 'keep', kept }, this.#context(fileId, userId));
    return isRefusal(done) ? done : done.state;
  }

  /** The content of a file that is kept here. */
  async contentHere({ fileId }: KeptFile): Promise<Buffer | Refusal> {
    const blob = await this.#reached(this.#deps.blobs.get(fileBlob(fileId), 0));
    if (blob === false) return OUT_OF_REACH;
    return blob?.bytes ?? NO_FILE;
  }

  #reached<Answer>(work: Promise<Answer>): Promise<Answer | false> {
    return work.catch(() => false as const);
  }

  /** A key's own file; any other is not found. */
  async ownFile(tokenId: TokenId, id: string): Promise<OwnFile | Refusal> {
    const fileId = FileId.safeParse(id);
    if (!fileId.success) return NO_FILE;
    const file = await orLogUnavailable(readState(this.#deps.log, fileStream(fileId.data), fileOf(fileId.data)));
    if (isRefusal(file)) return file;
    const { upload, kept, deleted } = file;
    if (kept !== null) return deleted || kept.tokenId !== tokenId ? NO_FILE : kept;
    if (upload === null || deleted || upload.tokenId !== tokenId) return NO_FILE;
    return upload.expiresAt !== null && upload.expiresAt <= this.#now() ? NO_FILE : upload;
  }

  /** Takes a file away, here and at its upstream. What a batch made stays until the batch is settled. */
  async deleteFile(file: OwnFile): Promise<Refusal | null> {
    const refusal = isKept(file) ? await this.#removeHere(file) : await this.#removeThere(file);
    if (refusal !== null) return refusal;
    const { fileId, userId } = file;
    const done = await runFileCommand(this.#deps, fileId, { kind: 'delete', at: this.#now() }, this.#context(fileId, userId));
    return isRefusal(done) ? done : null;
  }

  async #removeHere({ fileId }: KeptFile): Promise<Refusal | null> {
    // The content first: whatever comes between, it is gone.
    const removed = await this.#reached(this.#deps.blobs.remove([fileBlob(fileId)]).then(() => true));
    return removed ? null : OUT_OF_REACH;
  }

  async #removeThere(upload: FileUpload): Promise<Refusal | null> {
    if (upload.madeBy !== undefined) {
      const batch = await this.batch(upload.madeBy);
      if (!isRefusal(batch) && batch.settled === null)
        return refuse('wrong_state', 'The batch that made this file is not settled yet; try again in a moment.');
    }
    const answer = await askPlace(this.#deps, upload, { method: 'DELETE', path: `/files/${encodeURIComponent(upload.upstreamId)}` });
    if (answer === null) return refuse('upstream_failed');
    return answer.status === 200 || answer.status === 404 ? null : refuse('upstream_refused');
  }

  async batch(batchId: BatchId): Promise<SeenBatch | Refusal> {
    const read = await orLogUnavailable(readState(this.#deps.log, batchStream(batchId), batchOf(batchId)));
    if (isRefusal(read)) return read;
    const { submitted, ...rest } = read;
    return submitted === null || rest.deleted ? NO_BATCH : { submitted, ...rest };
  }

  /** A key's own batch, of this form; any other is not found. */
  async ownBatch(tokenId: TokenId, id: string, form: BatchPage['form'] = 'openai'): Promise<SeenBatch | Refusal> {
    const batchId = BatchId.safeParse(id);
    const batch = batchId.success ? await this.batch(batchId.data) : NO_BATCH;
    if (isRefusal(batch)) return batch;
    const { submitted } = batch;
    return submitted.tokenId === tokenId && (submitted.endpoint === '/v1/messages') === (form === 'anthropic') ? batch : NO_BATCH;
  }

  /** Takes a settled batch away, here and at its upstream, with all that is left of it there. */
  async deleteBatch(batch: SeenBatch): Promise<Refusal | null> {
    const { submitted, started } = batch;
    const settled = await this.settle(batch);
    if (isRefusal(settled)) return settled;
    if (settled.settled === null) return refuse('wrong_state', 'The batch has not ended yet.');
    if (started !== null) {
      const { path, headers } = this.#addressOf(submitted, started.upstreamId);
      const answer = await askPlace(this.#deps, submitted, { method: 'DELETE', path, headers });
      if (answer === null) return refuse('upstream_failed');
      if (answer.status !== 200 && answer.status !== 404) return refuse('upstream_refused');
    }
    const deleted = await this.record(submitted, { kind: 'delete', at: this.#now() });
    return isRefusal(deleted) ? deleted : null;
  }

  /** Where a batch’s answers are, line by line; `null` where that is nowhere yet, or in a file. */
  resultsOf({ submitted, started, ended }: SeenBatch): PlaceQuestion | null {
    if (submitted.endpoint !== '/v1/messages' || started === null || ended === null) return null;
    const { path, headers } = this.#addressOf(submitted, started.upstreamId);
    return { method: 'GET', path: `${path}/results`, headers };
  }

  async record(submitted: Pick<BatchSubmission, 'batchId' | 'userId'>, command: BatchCommand): Promise<Batch | Refusal> {
    const { batchId, userId } = submitted;
    const done = await runBatchCommand(this.#deps, batchId, command, this.#context(batchId, userId));
    return isRefusal(done) ? done : done.state;
  }

  /** Ends a batch that no upstream has taken, and pays it back. */
  async giveUp({ submitted }: SeenBatch): Promise<Batch | Refusal> {
    const { batchId } = submitted;
    const end = { batchId, status: 'failed', outputFileId: null, errorFileId: null, succeeded: 0, failed: 0, at: this.#now() } as const;
    const ended = await this.record(submitted, { kind: 'end', end });
    if (isRefusal(ended)) return ended;
    return ended.started === null ? settleBatch(this.#deps, ended, NOTHING_USED, this.#now()) : ended;
  }

  /** What its upstream says of a batch now, with our ids in the place of its own; an end that it tells is recorded. `null`: it says nothing. */
  async look(batch: SeenBatch, question: 'see' | 'cancel' = 'see'): Promise<{ readonly said: Json | null; readonly batch: SeenBatch }> {
    const { submitted, started } = batch;
    if (started === null) return { said: null, batch };
    const { path, headers } = this.#addressOf(submitted, started.upstreamId);
    const answer = await askPlace(
      this.#deps,
      submitted,
      question === 'see' ? { method: 'GET', path, headers } : { method: 'POST', path: `${path}/cancel`, headers },
    );
    if (answer === null || answer.status !== 200 || !isRecord(answer.said)) return { said: null, batch };
    return this.hear(batch, answer.said);
  }

  /** Takes what an upstream said of a batch. */
  async hear(batch: SeenBatch, said: Json): Promise<{ readonly said: Json; readonly batch: SeenBatch }> {
    const { submitted } = batch;
    if (submitted.endpoint === '/v1/messages') return this.#hearMessages(batch, said);
    const { batchId, userId, tokenId, channelId, channelKeyId, inputFileId } = submitted;
    const made: (FileId | null)[] = [];
    const at = this.#now();
    for (const name of ['output_file_id', 'error_file_id'] as const) {
      const upstreamId = textIn(said, name);
      made.push(upstreamId === null ? null : fileIdFor(batchId, upstreamId));
      const fileId = made.at(-1) ?? null;
      if (upstreamId === null || fileId === null || batch.ended !== null) continue;
      const kept = await this.keep({
        ...{ fileId, userId, tokenId, channelId, channelKeyId, upstreamId, at },
        ...{
          filename: `${batchId}_${name.split('_')[0] ?? ''}.jsonl`,
          purpose: 'batch_output',
          bytes: 0,
          expiresAt: null,
          madeBy: batchId,
        },
      });
      if (isRefusal(kept)) return { said: this.#ours(said, batchId, inputFileId, made), batch };
    }
    const [outputFileId = null, errorFileId = null] = made;
    const status = BatchEnd.safeParse(said['status']);
    const counts = isRecord(said['request_counts']) ? said['request_counts'] : {};
    let seen = batch;
    if (status.success && batch.ended === null) {
      const [succeeded, failed] = [counted(counts['completed']), counted(counts['failed'])];
      const end = { batchId, status: status.data, outputFileId, errorFileId, succeeded, failed, at };
      const ended = await this.record(submitted, { kind: 'end', end });
      if (!isRefusal(ended)) seen = { ...ended, submitted };
    }
    return { said: this.#ours(said, batchId, inputFileId, made), batch: seen };
  }

  async #hearMessages(batch: SeenBatch, said: Json): Promise<{ readonly said: Json; readonly batch: SeenBatch }> {
    const { submitted } = batch;
    const { batchId } = submitted;
    const ours = { ...said, id: messageBatchId(batchId), results_url: null };
    if (said['processing_status'] !== 'ended' || batch.ended !== null) return { said: ours, batch };
    const counts = isRecord(said['request_counts']) ? said['request_counts'] : {};
    const [succeeded, errored, cancelled, expired] = ['succeeded', 'errored', 'canceled', 'expired'].map((name) => counted(counts[name]));
    const status = textIn(said, 'cancel_initiated_at') !== null ? 'cancelled' : (expired ?? 0) > 0 ? 'expired' : 'completed';
    const failed = (errored ?? 0) + (cancelled ?? 0) + (expired ?? 0);
    const end = { batchId, status, outputFileId: null, errorFileId: null, succeeded: succeeded ?? 0, failed, at: this.#now() } as const;
    const ended = await this.record(submitted, { kind: 'end', end });
    return { said: ours, batch: isRefusal(ended) ? batch : { ...ended, submitted } };
  }

  #addressOf({ endpoint }: BatchSubmission, upstreamId: string): ReturnType<typeof batchAddress> {
    const { path, headers } = batchAddress(endpoint);
    return { path: `${path}/${encodeURIComponent(upstreamId)}`, headers };
  }

  #ours(said: Json, batchId: BatchId, inputFileId: FileId | null, [output = null, error = null]: readonly (FileId | null)[]): Json {
    const { output_file_id: _output, error_file_id: _error, ...rest } = said;
    return {
      ...rest,
      id: batchId,
      input_file_id: inputFileId,
      ...(output === null ? {} : { output_file_id: output }),
      ...(error === null ? {} : { error_file_id: error }),
    };
  }

  /** Charges a batch that has ended for what it used. Whoever asks, and however often: once. */
  async settle(batch: SeenBatch): Promise<Batch | Refusal> {
    const { started, ended, measured, settled } = batch;
    if (ended === null || settled !== null) return batch;
    if (started === null) return settleBatch(this.#deps, batch, NOTHING_USED, this.#now());
    const measure = measured === null ? await this.#measured(batch, started.charged) : { ...NOTHING_USED, cost: measured.cost };
    return isRefusal(measure) ? measure : settleBatch(this.#deps, batch, measure, this.#now());
  }

  async #output(batch: SeenBatch): Promise<PlaceQuestion | Refusal | null> {
    const outputFileId = batch.ended?.outputFileId ?? null;
    if (outputFileId === null) return this.resultsOf(batch);
    const file = await orLogUnavailable(readState(this.#deps.log, fileStream(outputFileId), fileOf(outputFileId)));
    if (isRefusal(file)) return file;
    return { method: 'GET', path: `/files/${encodeURIComponent(file.upload?.upstreamId ?? '')}/content` };
  }

  async #measured(batch: SeenBatch, charged: Money): Promise<BatchMeasure | Refusal> {
    const { submitted } = batch;
    const question = await this.#output(batch);
    if (question === null) return NOTHING_USED;
    if (isRefusal(question)) return question;
    const { price, ratio, endpoint, requests } = submitted;
    const output = new BatchOutput(price, ratio, endpoint);
    const read = await readLines(this.#deps, submitted, question, LINE_BYTES, (line) => {
      output.add(line);
      return true;
    });
    if (read.kind === 'read') return output.measure(charged, requests);
    // What is gone tells nobody any more what it took.
    if (read.kind === 'failed' && (read.status === 404 || read.status === 410))
      return { usage: {}, answered: requests, unreported: requests, cost: charged };
    return refuse('upstream_failed');
  }

  /** Looks after everything that is not settled; answers with how many were. Any number of processes may do so at once. */
  async tick(stopping: AbortSignal): Promise<number> {
    let done = 0;
    for (const batchId of await this.#deps.lists.unsettled(MOST_IN_A_ROUND)) {
      if (stopping.aborted) break;
      const batch = await this.batch(batchId);
      if (isRefusal(batch)) continue;
      const { submitted, started, ended } = batch;
      const isLost = started === null && this.#deps.clock.now() - Date.parse(submitted.at) > LOST_AFTER_MS;
      if (isLost && ended === null) await this.giveUp(batch);
      const seen = started !== null && ended === null ? (await this.look(batch)).batch : batch;
      const settled = await this.settle(seen);
      if (!isRefusal(settled) && settled.settled !== null) done++;
    }
    return done;
  }

  #now(): string {
    return isoInstant(this.#deps.clock.now());
  }

  #context(cause: string, userId: UserId): CommandContext {
    return ownContext(this.#deps, 'files', cause, userId);
  }
}

const NOTHING_USED: BatchMeasure = { usage: {}, answered: 0, unreported: 0, cost: 0n as Money };
