import { expect } from 'chai';
import type { CommandContext } from '../../../commands/command-context.ts';
import { fileBlob } from '../../../commands/files/file-blob.ts';
import type { Embedded, EmbedQuestion } from '../../../commands/ports/embedder.ts';
import type { IndexedFile } from '../../../commands/ports/vector-index.ts';
import { newEvents } from '../../../commands/run-command.ts';
import { indexingWorker } from '../../../commands/vectors/indexing-worker.ts';
import { KeptVectors } from '../../../commands/vectors/kept-vectors.ts';
import type { WorkEvent } from '../../../commands/workers/worker.ts';
import { fileStream } from '../../../domain/file/file.ts';
import { decodeEvent } from '../../../domain/kernel/event-codec.ts';
import { leaseStream } from '../../../domain/ledger/lease.ts';
import { vectorFileStream } from '../../../domain/vectors/vector-file.ts';
import { vectorStoreStream } from '../../../domain/vectors/vector-store.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { DomainEvent, EventOf } from '../../../schemas/events/catalogue.ts';
import {
  CommandId,
  FileId,
  LeaseId,
  RequestId,
  TokenId,
  UserId,
  VectorFileId,
  VectorStoreId,
  type StreamName,
} from '../../../schemas/ids.ts';
import { leaseEvent } from '../../ledger/lease-event-samples.ts';
import { memoryBlobs } from '../../support/memory-blobs.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { context } from '../ledger/ledger-rig.ts';

const [storeId, fileId, vectorFileId] = [VectorStoreId.parse('vs_1'), FileId.parse('file-1'), VectorFileId.parse('vsf_1')];
const [userId, tokenId] = [UserId.parse('usr_1'), TokenId.parse('key_1')];
const at = '2026-01-01T00:00:00.000Z';
const leaseId = LeaseId.parse('lse_1');
/** Three groups of chunks. */
const TEXT = Array.from({ length: 1_200 }, (_, n) => `word${n}`).join(' ');

/** One way in which a call for vectors goes. */
type Going = 'well' | 'dies before it is kept' | 'dies before it is charged' | 'dies behind the charge' | 'is refused';

const openRig = async () => {
  const log = memoryLog();
  const blobs = memoryBlobs();
  const kept = new KeptVectors(blobs);
  const append = async (stream: StreamName, ...events: readonly DomainEvent[]): Promise<void> => {
    const [outcome] = await log.append([{ stream, expectedRevision: 'any', events: newEvents(events, context()) }]);
    expect(outcome?.outcome).to.equal('appended');
  };
  const filled: { file: IndexedFile; vectors: Float32Array[] }[] = [];
  const plan: Going[] = [];
  const asked: string[] = [];
  let calls = 0;
  const embed = async ({ texts, keep }: EmbedQuestion): Promise<Embedded | Refusal> => {
    const name = `${++calls}`;
    const going = plan.shift() ?? 'well';
    asked.push(texts[0] ?? '');
    if (going === 'is refused') return refuse('upstream_failed');
    if (going === 'dies before it is kept') throw new Error('killed');
    const embedded = {
      leaseId,
      requestId: RequestId.parse(`req_${name}`),
      vectors: texts.map((text) => Float32Array.of(text.length, calls)),
    };
    const refusal = (await keep?.(embedded)) ?? null;
    if (refusal !== null) return refusal;
    if (going === 'dies before it is charged') throw new Error('killed');
    await append(leaseStream(leaseId), leaseEvent.debited(name, 1n));
    if (going === 'dies behind the charge') throw new Error('killed');
    return embedded;
  };
  const worker = indexingWorker({
    ...{ log, blobs, kept, embedder: { embed }, clock: { now: () => Date.parse(at) + calls } },
    appender: { append: async (one) => (await log.append([one]))[0] as never },
    index: {
      fill: async (file, vectors) => {
        const all: Float32Array[] = [];
        for await (const group of vectors) all.push(...group);
        filled.push({ file, vectors: all });
        return true;
      },
      describe: async () => undefined,
      remove: async () => undefined,
    },
  });
  const attached: EventOf<'VectorFileAttached'> = {
    type: 'VectorFileAttached',
    data: {
      ...{ vectorFileId, storeId, fileId, userId, tokenId, at, batchId: null, filename: 'a.txt', attributes: {}, model: 'e' },
      chunking: { size: 100, overlap: 0 },
    },
  };
  await append(vectorStoreStream(storeId), {
    type: 'VectorStoreCreated',
    data: { storeId, userId, tokenId, at, name: null, metadata: {}, model: 'e' },
  });
  await append(fileStream(fileId), {
    type: 'FileKept',
    data: { fileId, userId, tokenId, at, filename: 'a.txt', purpose: 'assistants', bytes: TEXT.length },
  });
  await blobs.put({ id: fileBlob(fileId), part: 0, userId, tag: '', bytes: Buffer.from(TEXT) });
  await append(vectorFileStream(storeId, fileId), attached);
  const recorded = log.events.at(-1);
  if (recorded === undefined) throw new Error('nothing was recorded');
  const event = { ...recorded, ...attached, actor: recorded.metadata.actor } as WorkEvent;
  const command = (tenant: string, part = ''): CommandContext => ({ ...context(CommandId.parse(`w:${part}`)), tenant });
  return {
    log,
    blobs,
    append,
    plan,
    asked,
    filled,
    /** `null`: done; else why not. */
    attempt: async (isLast = false): Promise<string | null> => {
      try {
        const refusal = await worker.handle(event, {
          attempt: 1,
          isLast,
          signal: new AbortController().signal,
          progress: () => undefined,
          command,
        });
        return refusal?.refused ?? null;
      } catch (error) {
        return (error as Error).message;
      }
    },
    of: <T extends DomainEvent['type']>(type: T) => log.events.filter((each) => each.type === type).map((each) => decodeEvent(each)),
  };
};

describe('a file that is put into the index', () => {
  const GROUPS = 3;

  it('is charged once and indexed once, wherever the process dies, and however often it is handed out', async () => {
    for (const going of ['dies before it is kept', 'dies behind the charge'] as const) {
      const rig = await openRig();
      rig.plan.push('well', going);
      expect(await rig.attempt(), going).to.equal('killed');
      expect(await rig.attempt(), going).to.equal(null);
      expect(await rig.attempt(), going).to.equal(null);
      expect(rig.of('QuotaDebited'), going).to.have.length(GROUPS);
      expect(rig.of('VectorFileIndexed'), going).to.have.length(1);
      expect(rig.filled, going).to.have.length(1);
      expect(new Set(rig.asked).size, going).to.equal(GROUPS);
      const { vectors } = rig.filled[0] ?? { vectors: [] };
      expect(
        vectors.every((vector) => vector.length === 2),
        going,
      ).to.equal(true);
    }
  });

  it('waits, where it is kept and not charged, until nobody can charge it any more, and asks anew then', async () => {
    const rig = await openRig();
    rig.plan.push('dies before it is charged');
    expect(await rig.attempt()).to.equal('killed');
    expect(await rig.attempt()).to.equal('conflict');
    expect(rig.asked).to.have.length(1);
    await rig.append(leaseStream(leaseId), leaseEvent.closed(0n));
    expect(await rig.attempt()).to.equal(null);
    expect(rig.of('QuotaDebited')).to.have.length(GROUPS);
    // The vectors of the call that was never charged were replaced.
    expect(rig.filled[0]?.vectors[0]?.[1]).to.equal(2);
  });

  it('is paid for by one of two that work on it at once', async () => {
    const rig = await openRig();
    const outcomes = await Promise.all([rig.attempt(), rig.attempt()]);
    expect(outcomes.filter((outcome) => outcome === 'conflict').length).to.be.at.least(1);
    expect(await rig.attempt()).to.equal(null);
    expect(rig.of('QuotaDebited')).to.have.length(GROUPS);
  });

  it('fails when it was tried for the last time, and comes in all the same when an operator has it tried again', async () => {
    const rig = await openRig();
    rig.plan.push('is refused', 'is refused');
    expect(await rig.attempt()).to.equal('upstream_failed');
    expect(rig.of('VectorFileFailed')).to.have.length(0);
    expect(await rig.attempt(true)).to.equal('upstream_failed');
    expect(rig.of('VectorFileFailed')).to.have.length(1);
    expect(await rig.attempt()).to.equal(null);
    expect(rig.of('VectorFileIndexed')).to.have.length(1);
  });

  it('leaves nothing behind where it was taken out meanwhile', async () => {
    const rig = await openRig();
    rig.plan.push('dies behind the charge');
    await rig.attempt();
    expect(rig.blobs.held.size).to.be.greaterThan(1);
    await rig.append(vectorFileStream(storeId, fileId), { type: 'VectorFileRemoved', data: { vectorFileId, storeId, fileId, userId, at } });
    expect(await rig.attempt()).to.equal(null);
    expect([...rig.blobs.held.keys()]).to.deep.equal(['file:file-1 0']);
    expect(rig.filled).to.have.length(0);
  });
});
