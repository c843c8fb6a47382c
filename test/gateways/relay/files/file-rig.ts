import { AccountBook } from '../../../../commands/ledger/account-book.ts';
import { decodeEvent } from '../../../../domain/kernel/event-codec.ts';
import { FileDesk } from '../../../../gateways/relay/files/file-desk.ts';
import { timeSortedIds } from '../../../../infra/ids.ts';
import { batches } from '../../../../projections/batches/projection.ts';
import { foldDocument, type DocumentAt } from '../../../../projections/engine/document-rows.ts';
import { projectedEvent, type ProjectedEvent } from '../../../../projections/engine/projected-event.ts';
import { files } from '../../../../projections/files/projection.ts';
import type { BatchDocument } from '../../../../projections/batches/tables.ts';
import type { FileDocument } from '../../../../projections/files/tables.ts';
import type { BatchEvent, DomainEvent, FileEvent } from '../../../../schemas/events/catalogue.ts';
import { openLedger, userId, type LedgerRig } from '../../../commands/ledger/ledger-rig.ts';
import type { MemoryLog } from '../../../support/memory-log.ts';
import { memoryBlobs } from '../../../support/memory-blobs.ts';
import { startRelay, type HarnessOptions, type RelayHarness } from '../relay-harness.ts';

export interface FileRig {
  readonly relay: RelayHarness;
  readonly ledger: LedgerRig;
  readonly desk: FileDesk;
  readonly blobs: ReturnType<typeof memoryBlobs>;
  /** What works on files in another process. */
  anotherDesk(): FileDesk;
  /** Milliseconds since the Unix epoch. */
  readonly clock: { now: number };
  events(): readonly DomainEvent[];
  balance(): Promise<bigint>;
  close(): Promise<void>;
}

/** A read model, as the log has it now: made anew each time, as after a restart. */
const documents = <Doc>(
  log: MemoryLog,
  category: 'file' | 'batch',
  fold: (row: DocumentAt<Doc> | undefined, event: ProjectedEvent<(FileEvent | BatchEvent)['type']>) => DocumentAt<Doc> | undefined,
): readonly Doc[] => {
  const rows = new Map<string, DocumentAt<Doc>>();
  for (const recorded of log.events) {
    if (!recorded.stream.startsWith(`${category}-`)) continue;
    const event = projectedEvent(recorded, decodeEvent(recorded)) as ProjectedEvent<(FileEvent | BatchEvent)['type']>;
    const next = fold(rows.get(recorded.stream), event);
    if (next !== undefined) rows.set(recorded.stream, next);
  }
  return [...rows.values()].flatMap(({ doc }) => (doc === undefined ? [] : [doc]));
};

const fileDocuments = (log: MemoryLog): readonly FileDocument[] =>
  documents<FileDocument>(log, 'file', (row, event) => foldDocument(files, row, event as ProjectedEvent<FileEvent['type']>));

const batchDocuments = (log: MemoryLog): readonly BatchDocument[] =>
  documents<BatchDocument>(log, 'batch', (row, event) => foldDocument(batches, row, event as ProjectedEvent<BatchEvent['type']>));

/** The relay on real money, over a log in memory, with files and batches. */
export const startFileRelay = async (credit = 10_000_000_000, options: Pick<HarnessOptions, 'limitPolicies'> = {}): Promise<FileRig> => {
  const ledger = await openLedger({ credit });
  const { log, appender } = ledger;
  const time = { now: Date.parse('2026-01-01T12:00:00.000Z') };
  const clock = { now: () => time.now };
  const blobs = memoryBlobs();
  const newDesk = (): FileDesk =>
    new FileDesk({
      log,
      appender,
      blobs,
      book: new AccountBook(log, appender),
      channels: { find: async (channelId) => relay.directory.channels.find((channel) => channel.channelId === channelId) ?? null },
      lists: {
        files: async (tokenId, { purpose, order, limit, after }) => {
          const own = fileDocuments(log).filter((doc) => doc.tokenId === tokenId && (purpose === null || doc.purpose === purpose));
          const sorted = order === 'asc' ? own : [...own].reverse();
          return sorted.slice(sorted.findIndex(({ fileId }) => fileId === after) + 1).slice(0, limit);
        },
        keptBytes: async (owner) =>
          fileDocuments(log).reduce((sum, { userId, kept, bytes }) => sum + (kept && userId === owner ? bytes : 0), 0),
        batches: async (tokenId, { form, limit, after }) => {
          const own = [...batchDocuments(log)]
            .reverse()
            .filter(
              (doc) => doc.tokenId === tokenId && doc.deleted === undefined && (doc.endpoint === '/v1/messages') === (form === 'anthropic'),
            );
          return own.slice(own.findIndex(({ batchId }) => batchId === after) + 1).slice(0, limit);
        },
        unsettled: async () =>
          batchDocuments(log)
            .filter(({ settled }) => !settled)
            .map(({ batchId }) => batchId),
      },
      upstream: { send: (request, listener) => relay.pools.send(request, listener) },
      secrets: { open: (sealed) => sealed },
      clock,
      ids: timeSortedIds,
      sandboxUrl: () => null,
    });
  const desk = newDesk();
  const relay: RelayHarness = await startRelay({
    ...options,
    files: desk,
    spending: ledger.keeper,
    clock,
    limits: { keptFileBytes: 100_000, keptBytes: 250_000 },
  });
  return {
    relay,
    ledger,
    desk,
    blobs,
    anotherDesk: newDesk,
    clock: time,
    events: () => log.events.map((recorded) => decodeEvent(recorded)),
    balance: async () => {
      await ledger.keeper.stop();
      const read = await new AccountBook(log, appender).read(userId);
      if ('refused' in read) throw new Error(read.message);
      return read.account.wallet;
    },
    close: () => relay.close(),
  };
};
