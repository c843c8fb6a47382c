import type { CommandContext } from '../../../../commands/command-context.ts';
import type { AnyWorker, WorkEvent } from '../../../../commands/workers/worker.ts';
import { AccountBook } from '../../../../commands/ledger/account-book.ts';
import { decodeEvent } from '../../../../domain/kernel/event-codec.ts';
import { startSandbox } from '../../../../gateways/sandbox/sandbox-server.ts';
import { sandboxPrices } from '../../../../gateways/sandbox/prices.ts';
import { openFileDesk } from '../../../../infra/files/open-file-desk.ts';
import { timeSortedIds } from '../../../../infra/ids.ts';
import type { ReadModels } from '../../../../infra/read-models/read-models.ts';
import { LateEmbedder } from '../../../../infra/vectors/late-embedder.ts';
import { openVectors, type OpenedVectors, type OpenVectorsOptions } from '../../../../infra/vectors/open-vectors.ts';
import type { Refusal } from '../../../../schemas/errors.ts';
import { CommandId } from '../../../../schemas/ids.ts';
import { context, openLedger, type LedgerRig } from '../../../commands/ledger/ledger-rig.ts';
import { memoryBlobs } from '../../../support/memory-blobs.ts';
import { projectAll } from '../../../support/projecting.ts';
import { channel, KEY, startRelay, TOKEN_ID, USER_ID, type HarnessOptions, type RelayHarness } from '../relay-harness.ts';
import { newEvents } from '../../../../commands/run-command.ts';
import { tokenStream } from '../../../../domain/token/token.ts';
import { UNRESTRICTED, type KeyHash } from '../../../../schemas/events/token.ts';

const HASH = 'a'.repeat(64) as KeyHash;

export interface VectorRig {
  readonly relay: RelayHarness;
  readonly ledger: LedgerRig;
  readonly blobs: ReturnType<typeof memoryBlobs>;
  readonly vectors: OpenedVectors;
  /** Does what workers have to do and have not done yet, each piece once, and answers with what was refused. */
  work(): Promise<readonly Refusal[]>;
  /** The same over all that ever happened, as after the loss of every checkpoint. */
  workAgain(): Promise<readonly Refusal[]>;
  /** Lets the read models show all there is. */
  project(): Promise<void>;
  readonly events: LedgerRig['events'];
  close(): Promise<void>;
}

export interface VectorRigOptions extends Pick<HarnessOptions, 'between'> {
  readonly models: ReadModels;
  readonly credit?: number;
  readonly search?: OpenVectorsOptions['search'];
  /** What a worker is given to have texts embedded. */
  readonly embedder?: OpenVectorsOptions['embedder'];
}

/** The relay on real money over a log in memory, with the sandbox for an upstream, files, vector stores, and workers that work when they are told to. */
export const startVectorRelay = async ({
  models,
  credit = 10_000_000_000,
  search,
  embedder,
  between,
}: VectorRigOptions): Promise<VectorRig> => {
  const { database } = models;
  const ledger = await openLedger({ credit });
  const { log, appender } = ledger;
  const sandbox = await startSandbox();
  const clock = { now: () => ledger.clock.now };
  const blobs = memoryBlobs();
  const issued = { tokenId: TOKEN_ID, userId: USER_ID, name: 'test', keyHash: HASH, keyPrefix: 'sk-obl', expiresAt: null } as const;
  const events = newEvents([{ type: 'TokenIssued', data: { ...issued, restrictions: UNRESTRICTED } }], context());
  await log.append([{ stream: tokenStream(TOKEN_ID), expectedRevision: 'no_stream', events }]);

  const late = new LateEmbedder();
  const deps = { log, appender, database, blobs, clock, ids: timeSortedIds };
  const vectors = openVectors({ ...deps, embedder: embedder ?? late, usualModel: null, ...(search === undefined ? {} : { search }) });
  const files = openFileDesk({
    ...deps,
    book: new AccountBook(log, appender),
    secrets: { open: (sealed) => sealed },
    upstream: { send: (request, listener) => relay.pools.send(request, listener) },
    sandboxUrl: () => sandbox.baseUrl,
  });
  const relay: RelayHarness = await startRelay({
    ...{ files, vectors: vectors.desk, spending: ledger.keeper, clock, sandboxUrl: () => sandbox.baseUrl },
    ...(between === undefined ? {} : { between }),
  });
  relay.directory.tokenByHash = (hash) => (hash === HASH || hash === (KEY as string) ? relay.directory.token : undefined);
  late.beginBy(async () => relay.embedder);
  relay.directory.channels = [channel('', { provider: 'sandbox', models: sandboxPrices.map(({ model }) => model), keys: [] })];
  for (const price of sandboxPrices) relay.directory.prices.set(price.model, price);

  const attempt = async (worker: AnyWorker, event: WorkEvent): Promise<Refusal | null> => {
    const command = (tenant: string, part = ''): CommandContext => ({
      ...{ commandId: CommandId.parse(`${worker.name}:${event.eventId}/${part}`), correlationId: 'c', causationId: event.eventId },
      ...{ actor: { kind: 'system', id: worker.name }, tenant, occurredAt: event.recordedAt },
    });
    const { signal } = new AbortController();
    return worker.handle(event, { attempt: 1, isLast: false, signal, progress: () => undefined, command });
  };
  let done = 0;
  const workFrom = async (from: number): Promise<readonly Refusal[]> => {
    const refusals: Refusal[] = [];
    const end = log.events.length;
    for (let at = from; at < Math.max(end, log.events.length); at++) {
      const recorded = log.events[at];
      if (recorded === undefined) break;
      for (const worker of vectors.workers) {
        if (!(worker.types as readonly string[]).includes(recorded.type)) continue;
        await rig.project();
        const { eventId, stream, revision, position, recordedAt, metadata } = recorded;
        const event = { ...decodeEvent(recorded), eventId, stream, revision, position, recordedAt, actor: metadata.actor } as WorkEvent;
        const refusal = await attempt(worker, event);
        if (refusal !== null) refusals.push(refusal);
      }
    }
    done = log.events.length;
    return refusals;
  };
  const rig: VectorRig = {
    relay,
    ledger,
    blobs,
    vectors,
    work: () => workFrom(done),
    workAgain: () => workFrom(0),
    project: () => projectAll({ feed: log, database }),
    events: ledger.events,
    close: async () => {
      await relay.idle();
      await relay.close();
      await sandbox.close();
    },
  };
  await rig.project();
  return rig;
};
