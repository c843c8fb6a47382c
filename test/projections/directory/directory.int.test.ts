import { expect } from 'chai';
import fc from 'fast-check';
import { DEFAULT_ROUTING } from '../../../domain/relay/routing-rules.ts';
import { routingStream } from '../../../domain/relay/routing-settings.ts';
import { RATIO_ONE } from '../../../schemas/price.ts';
import { Directory, type DirectoryOptions, type DirectoryReport } from '../../../projections/directory/directory.ts';
import type { EventId, StreamName } from '../../../schemas/ids.ts';
import type { KeyHash } from '../../../schemas/events/token.ts';
import { UNRESTRICTED } from '../../../schemas/events/token.ts';
import type { ChannelId, PriceListId, TokenId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import type { Directory as DirectoryPort } from '../../../gateways/ports/directory.ts';
import { channels } from '../../../projections/channels/projection.ts';
import { priceLists } from '../../../projections/price-lists/projection.ts';
import { routingRules } from '../../../projections/routing-rules/projection.ts';
import { tokenLookup } from '../../../projections/token-lookup/projection.ts';
import { users } from '../../../projections/users/projection.ts';
import { dropReadModels, ENGINE_SCHEMA } from '../../../projections/engine/engine-schema.ts';
import { appendsOf, histories, longHistory, type History } from '../../support/histories.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { projectAll, wallClock } from '../../support/projecting.ts';
import { emptyReadModels } from '../../support/read-models.ts';
import { eventOf, recordRaw } from '../../support/toy-projections.ts';

interface Running {
  readonly directory: Directory;
  readonly reports: DirectoryReport[];
  /** Resolves once the condition holds, looked at after every change and now and then. */
  until(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

const start = (options: Omit<DirectoryOptions, 'clock'> & Partial<Pick<DirectoryOptions, 'clock'>>): Running => {
  const reports: DirectoryReport[] = [];
  const directory = new Directory({ clock: wallClock, checkMs: 5, staleAfterMs: 60, report: (report) => reports.push(report), ...options });
  const abort = new AbortController();
  const running = directory.run(abort.signal);
  return {
    directory,
    reports,
    until: (condition) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('it never held')), 15_000);
        const look = (): void => {
          if (!condition()) return;
          clearTimeout(timer);
          clearInterval(now);
          stop();
          resolve();
        };
        const now = setInterval(look, 5);
        const stop = directory.onChange(look);
        look();
      }),
    stop: async () => {
      abort.abort();
      await running;
    },
  };
};

/** Everything that can be asked of it. */
const contents = (directory: Directory, history: History): unknown => {
  const events = history.flatMap((step) => step.events);
  return {
    tokens: events.flatMap((event) => (event.type === 'TokenIssued' ? [directory.tokenByHash(event.data.keyHash)] : [])),
    users: events.flatMap((event) => (event.type === 'Registered' ? [directory.user(event.data.userId)] : [])),
    channels: directory.channels(),
    byModel: directory.models().map((model) => directory.channelsForModel(model)),
    price: directory.price('gpt-4o'),
    ratios: ['default', 'vip', 'other'].map((group) => directory.groupRatio(group)),
  };
};

const follow = async (log: MemoryLog, running: Running): Promise<void> => {
  const head = await log.head();
  await running.until(() => running.directory.position >= head);
};

/** What the directory starts from; nothing else has to be projected. */
const HELD = [tokenLookup, users, channels, priceLists, routingRules];

const keyHash = 'b'.repeat(64) as KeyHash;
const tokenId = 'key_t' as TokenId;
const tokenStream = 'token-key_t' as StreamName;
const issueToken = (log: MemoryLog): Promise<void> =>
  recordRaw(
    log,
    tokenStream,
    eventOf({
      type: 'TokenIssued',
      data: {
        tokenId,
        userId: 'usr_t' as UserId,
        name: 't',
        keyHash,
        keyPrefix: 'sk-obl-t',
        expiresAt: '2030-01-01T00:00:00.000Z',
        restrictions: UNRESTRICTED,
      },
    }),
  );

describe('directory', function () {
  this.timeout(120_000);

  it('is what the relay asks for', () => {
    const port: DirectoryPort = new Directory({ feed: memoryLog(), clock: wallClock });
    expect(port.models()).to.deep.equal([]);
  });

  it('is the same whether folded from the whole log, from rows and the rest, or event by event', async () => {
    const { database } = await emptyReadModels();
    await fc.assert(
      fc.asyncProperty(histories({ minSteps: 40, maxSteps: 120 }), fc.integer({ min: 0, max: 100 }), async (history, share) => {
        await database.transaction(dropReadModels);
        const appends = appendsOf(history);
        const cut = Math.floor((appends.length * share) / 100);

        const live = memoryLog({ batchSize: 3 });
        const eventByEvent = start({ feed: live });
        await eventByEvent.directory.whenReady();
        for (const append of appends) {
          await live.append([append]);
          live.redeliver();
        }
        await follow(live, eventByEvent);

        const log = memoryLog();
        await log.append(appends.slice(0, cut));
        await projectAll({ feed: log, database, projections: HELD });
        const fromRows = start({ feed: log, database });
        await log.append(appends.slice(cut));
        await follow(log, fromRows);

        const whole = start({ feed: log });
        await whole.directory.whenReady();
        expect(fromRows.reports).to.deep.equal([]);
        expect(contents(fromRows.directory, history)).to.deep.equal(contents(whole.directory, history));
        expect(contents(eventByEvent.directory, history)).to.deep.equal(contents(whole.directory, history));
        await Promise.all([eventByEvent.stop(), fromRows.stop(), whole.stop()]);
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });

  it('has a change of channels and of routing in force in every process within a second, and leaves what a call holds as it was', async () => {
    const log = memoryLog();
    const processes = [start({ feed: log }), start({ feed: log })];
    await Promise.all(processes.map(({ directory }) => directory.whenReady()));
    const channelId = 'chn_hot' as ChannelId;
    const stream = `channel-${channelId}` as StreamName;
    const settings = {
      name: 'hot',
      provider: 'openai',
      baseUrl: 'https://api.example.com/v1',
      models: [{ model: 'gpt-*', upstreamModel: 'gpt-*' }],
      priority: 0,
      weight: 1,
      groups: null,
      costRatio: RATIO_ONE,
    };
    const within = async (holds: (directory: Directory) => boolean): Promise<void> => {
      const began = performance.now();
      await Promise.all(processes.map((each) => each.until(() => holds(each.directory))));
      expect(performance.now() - began).to.be.lessThan(1_000);
    };
    await recordRaw(log, stream, eventOf({ type: 'ChannelAdded', data: { channelId, settings } }));
    await recordRaw(log, stream, eventOf({ type: 'ChannelEnabled', data: { channelId } }));
    await within((directory) => directory.channelsForModel('gpt-4o').length === 1);
    const inHand = processes.map(({ directory }) => directory.channelsForModel('gpt-4o')[0]);

    const changed = { ...settings, weight: 7 };
    await recordRaw(log, stream, eventOf({ type: 'ChannelChanged', data: { channelId, settings: changed } }));
    await within((directory) => directory.channelsForModel('gpt-4o')[0]?.settings.weight === 7);
    for (const held of inHand) expect(held?.settings.weight).to.equal(1);

    const failing = { channelId, model: 'gpt-4o', to: 'failing', reason: 'HTTP 500' } as const;
    await recordRaw(log, stream, eventOf({ type: 'ChannelModelHealthChanged', data: failing }));
    await within((directory) => directory.channelsForModel('gpt-4o')[0]?.failingModels[0] === 'gpt-4o');

    const rule = { models: ['gpt-*'], groups: null, strategy: 'round_robin' as const, affinity: [], hedgeMs: null };
    await recordRaw(log, routingStream, eventOf({ type: 'RoutingRulesSet', data: { rules: [rule] } }));
    await within((directory) => directory.routingFor('gpt-4o', 'default').strategy === 'round_robin');
    expect(processes[0]?.directory.routingFor('other', 'default')).to.equal(DEFAULT_ROUTING);

    await recordRaw(log, stream, eventOf({ type: 'ChannelDisabled', data: { channelId, by: 'platform', reason: 'x' } }));
    await within((directory) => directory.channelsForModel('gpt-4o').length === 0);
    await Promise.all(processes.map(({ stop }) => stop()));
  });

  it('does not take rows that it cannot trust, and says why', async () => {
    const { database } = await emptyReadModels();
    const history = longHistory(60, 9);
    const log = memoryLog();
    await log.append(appendsOf(history));
    const whole = start({ feed: log });
    await whole.directory.whenReady();

    const distrusts = async (reason: RegExp): Promise<void> => {
      const running = start({ feed: log, database });
      await running.directory.whenReady();
      expect(running.reports.map((report) => report.kind)).to.deep.equal(['without_rows']);
      expect((running.reports[0] as Extract<DirectoryReport, { kind: 'without_rows' }>).reason).to.match(reason);
      expect(contents(running.directory, history)).to.deep.equal(contents(whole.directory, history));
      await running.stop();
    };

    await distrusts(/does not exist/);
    await projectAll({ feed: log, database, projections: HELD });
    await database.query(
      `INSERT INTO ${ENGINE_SCHEMA}.parked_event (projection, version, stream, position, type, event, waiting, error, attempts) VALUES ('users', 1, 'user-x', 1, 'Suspended', '{}', false, '', 1)`,
    );
    await distrusts(/parked/);
    await database.query(`DELETE FROM ${ENGINE_SCHEMA}.parked_event`);
    await database.query(`UPDATE ${ENGINE_SCHEMA}.checkpoint SET position = position + 1000 WHERE projection = 'channels'`);
    await distrusts(/the log ends at/);
    await whole.stop();
  });

  it('revokes at once, and tells who wants to know', async () => {
    const log = memoryLog();
    const running = start({ feed: log });
    const changes: unknown[] = [];
    running.directory.onChange((change) => changes.push(change));
    await running.directory.whenReady();
    await issueToken(log);
    await running.until(() => running.directory.tokenByHash(keyHash) !== undefined);
    expect(running.directory.tokenByHash(keyHash)).to.deep.include({ tokenId, revoked: false, expiresAt: Date.UTC(2030, 0, 1) });
    await recordRaw(log, tokenStream, eventOf({ type: 'TokenRevoked', data: { tokenId, reason: 'lost' } }));
    await running.until(() => running.directory.tokenByHash(keyHash)?.revoked === true);
    expect(changes).to.deep.equal([
      { kind: 'token', tokenId },
      { kind: 'token', tokenId },
    ]);
    await running.stop();
  });

  it('locks out whoever is concerned by an event that it cannot understand', async () => {
    const log = memoryLog();
    const running = start({ feed: log });
    await issueToken(log);
    await running.until(() => running.directory.tokenByHash(keyHash) !== undefined);
    const sound = eventOf({ type: 'TokenDisabled', data: { tokenId, reason: 'r' } });
    await recordRaw(log, tokenStream, { ...sound, schemaVersion: 2 });
    await running.until(() => running.directory.tokenByHash(keyHash) === undefined);
    await recordRaw(log, tokenStream, {
      ...sound,
      type: 'TokenEnabled',
      data: { tokenId },
      eventId: 'f0000000-0000-4000-8000-000000000009' as EventId,
    });
    await follow(log, running);
    expect(running.directory.tokenByHash(keyHash)).to.equal(undefined);
    expect(running.reports).to.have.length(1);
    expect(running.reports[0]).to.deep.include({ kind: 'distrusted', stream: tokenStream });
    await running.stop();
  });

  it('changes prices by the clock and not by an event', async () => {
    const log = memoryLog();
    let now = Date.UTC(2026, 0, 1);
    const running = start({ feed: log, clock: { now: () => now } });
    const publish = (id: string, effectiveFrom: string, input: bigint): Promise<void> =>
      recordRaw(
        log,
        `pricelist-${id}` as StreamName,
        eventOf({
          type: 'PriceListPublished',
          data: {
            priceListId: id as PriceListId,
            title: id,
            effectiveFrom,
            asOf: '2026-01-01',
            source: 's',
            models: [{ model: 'm', kind: 'chat', rates: { input: input as Money, output: 1n as Money } }],
          },
        }),
      );
    await publish('prl_1', '2025-12-01T00:00:00.000Z', 1n);
    await publish('prl_2', '2026-02-01T00:00:00.000Z', 2n);
    await publish('prl_3', '2026-03-01T00:00:00.000Z', 3n);
    await follow(log, running);
    const { directory } = running;
    expect(directory.price('m')?.price.rates.input).to.equal(1n);
    now = Date.UTC(2026, 1, 1) - 1;
    expect(directory.price('m')?.priceListId).to.equal('prl_1');
    now += 1;
    expect(directory.price('m')?.priceListId).to.equal('prl_2');
    now = Date.UTC(2027, 0, 1);
    expect(directory.price('m')?.priceListId).to.equal('prl_3');
    expect(directory.priceListAt(Date.UTC(2026, 1, 2))?.list.title).to.equal('prl_2');
    expect(directory.priceListAt(0)).to.equal(undefined);
    await recordRaw(
      log,
      'pricelist-prl_3' as StreamName,
      eventOf({ type: 'PriceListWithdrawn', data: { priceListId: 'prl_3' as PriceListId, reason: 'r' } }),
    );
    await running.until(() => directory.price('m')?.priceListId === 'prl_2');
    expect(directory.priceList('prl_3' as PriceListId)?.list.withdrawn).to.equal(true);
    expect(directory.price('unknown')).to.equal(undefined);
    await running.stop();
  });

  it('says since when it may be behind, and stops saying so', async () => {
    const log = memoryLog();
    let now = 1_000_000;
    const running = start({ feed: log, clock: { now: () => now }, staleAfterMs: 60_000 });
    await issueToken(log);
    await follow(log, running);
    expect(running.directory.staleSince).to.equal(null);
    log.cut();
    now += 60_001;
    await running.until(() => running.directory.staleSince !== null);
    expect(running.directory.staleSince).to.equal(1_000_000);
    log.mend();
    await running.until(() => running.directory.staleSince === null);
    await running.stop();
  });
});
