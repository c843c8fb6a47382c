import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { decodeEvent, encodeEvent, type EncodedEvent } from '../../domain/kernel/event-codec.ts';
import { streamName } from '../../domain/kernel/stream-name.ts';
import type { ReadModels } from '../../infra/read-models/read-models.ts';
import { listBatches, unsettledBatches } from '../../projections/batches/queries.ts';
import { listFiles } from '../../projections/files/queries.ts';
import { EventId, FileId, BatchId, CommandId, TokenId } from '../../schemas/ids.ts';
import type { DomainEvent } from '../../schemas/events/catalogue.ts';
import { memoryLog, type MemoryLog } from '../support/memory-log.ts';
import { projectAll } from '../support/projecting.ts';
import { emptyReadModels } from '../support/read-models.ts';

/** An event as it is written down in the tests, with some of it changed. */
const golden = (type: string, changed: object): DomainEvent => {
  const stored = JSON.parse(readFileSync(new URL(`../golden/events/${type}.v1.json`, import.meta.url), 'utf8')) as EncodedEvent;
  return decodeEvent({ ...stored, data: { ...(stored.data as object), ...changed } });
};

const KEY = TokenId.parse('key_1');
const file = (n: number): FileId => FileId.parse(`file-${n}`);
const batch = (n: number): BatchId => BatchId.parse(`batch_${n}`);

describe('files and batches, as they are listed', function () {
  this.timeout(120_000);
  let models: ReadModels;
  let log: MemoryLog;

  const happened = async (category: 'file' | 'batch', id: string, ...events: readonly DomainEvent[]): Promise<void> => {
    const metadata = {
      ...{ commandId: CommandId.parse(id), correlationId: 'c', causationId: 'c', tenant: 'usr_1' },
      ...{ actor: { kind: 'system', id: 'test' } as const, occurredAt: '2026-01-01T00:00:00.000Z' },
    };
    await log.append([
      {
        stream: streamName(category, id),
        expectedRevision: 'no_stream',
        events: events.map((event) => ({ ...encodeEvent(event), eventId: EventId.parse(crypto.randomUUID()), metadata })),
      },
    ]);
  };

  before(async () => {
    models = await emptyReadModels();
    log = memoryLog();
    for (const n of [1, 2, 3, 4])
      await happened('file', file(n), golden('FileUploaded', { fileId: file(n), expiresAt: n === 4 ? '2026-01-02T00:00:00.000Z' : null }));
    await happened('file', file(5), golden('FileUploaded', { fileId: file(5), purpose: 'vision' }));
    await happened('file', file(6), golden('FileUploaded', { fileId: file(6), tokenId: 'key_2' }));
    await happened('file', file(7), golden('FileUploaded', { fileId: file(7) }), golden('FileDeleted', { fileId: file(7) }));
    const whole = ['BatchSubmitted', 'BatchStarted', 'BatchEnded', 'BatchMeasured', 'BatchSettled'];
    for (const [index, steps] of [5, 2, 3, 1].entries())
      await happened('batch', batch(index), ...whole.slice(0, steps).map((type) => golden(type, { batchId: batch(index) })));
    await happened('batch', batch(9), golden('BatchSubmitted', { batchId: batch(9), tokenId: 'key_2' }));
    await projectAll({ feed: log, database: models.database });
  });
  after(() => models.close());

  it('files: of one key, page by page, without those that are gone', async () => {
    const page = { purpose: 'batch', order: 'desc', limit: 2, after: null, now: '2026-01-03T00:00:00.000Z' } as const;
    const idsOf = async (more: object): Promise<readonly string[]> =>
      (await listFiles(models.database, KEY, { ...page, ...more })).map(({ fileId }) => fileId);
    expect(await idsOf({})).to.deep.equal([file(3), file(2)]);
    expect(await idsOf({ after: file(2) })).to.deep.equal([file(1)]);
    expect(await idsOf({ order: 'asc', limit: 9 })).to.deep.equal([file(1), file(2), file(3)]);
    expect(await idsOf({ order: 'asc', after: file(1) })).to.deep.equal([file(2), file(3)]);
    expect(await idsOf({ purpose: null, limit: 9 })).to.deep.equal([file(5), file(3), file(2), file(1)]);
    expect(await idsOf({ after: file(6) })).to.deep.equal([]);
  });

  it('batches: of one key, the newest first, and all that are not settled', async () => {
    const found = await listBatches(models.database, KEY, { form: 'openai', after: null, limit: 9 });
    expect(found.map(({ batchId, state, settled }) => [batchId, state, settled])).to.deep.equal([
      [batch(3), 'submitted', false],
      [batch(2), 'completed', false],
      [batch(1), 'started', false],
      [batch(0), 'completed', true],
    ]);
    expect(
      (await listBatches(models.database, KEY, { form: 'openai', after: batch(2), limit: 1 })).map(({ batchId }) => batchId),
    ).to.deep.equal([batch(1)]);
    expect(await unsettledBatches(models.database, 9)).to.deep.equal([batch(1), batch(2), batch(3), batch(9)]);
  });
});
