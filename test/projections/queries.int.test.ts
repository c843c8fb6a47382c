import { expect } from 'chai';
import type { ReadModels } from '../../infra/read-models/read-models.ts';
import { accountBalance, keySpends } from '../../projections/account-balances/queries.ts';
import { channelById, channelNames, listChannels } from '../../projections/channels/queries.ts';
import { accountStatement, journalEntries, ledgerAccounts, type EntryPlace, type JournalRow } from '../../projections/journal/queries.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { groupRatios, listPriceLists, priceListAt, priceListById } from '../../projections/price-lists/queries.ts';
import {
  requestById,
  requestHistogram,
  requests,
  requestsAfter,
  requestSummary,
  type RequestFilter,
  type RequestRow,
} from '../../projections/request-log/queries.ts';
import { countTokens, tokenById, tokenNames, tokens } from '../../projections/token-lookup/queries.ts';
import { usageByDay } from '../../projections/usage-daily/queries.ts';
import { usageByHour } from '../../projections/usage-hourly/queries.ts';
import { countUsers, listUsers, userByEmail, userById } from '../../projections/users/queries.ts';
import type { DomainEvent, EventOf, EventType } from '../../schemas/events/catalogue.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { TokenId, UserId } from '../../schemas/ids.ts';
import { appendsOf, longHistory } from '../support/histories.ts';
import { memoryLog } from '../support/memory-log.ts';
import { projectAll } from '../support/projecting.ts';
import { DATABASES } from '../support/read-models.ts';

const history = longHistory(500, 77);
const events: readonly DomainEvent[] = history.flatMap((step) => step.events);
const ofType = <Type extends EventType>(type: Type): readonly EventOf<Type>[] =>
  events.filter((event): event is EventOf<Type> & DomainEvent => event.type === type);

const debits = ofType('QuotaDebited');
/** Two people who both made calls that were charged. */
const [ann, bob] = [...new Set(debits.map(({ data }) => data.userId))] as [UserId, UserId];

const NOW = Date.parse(history.at(-1)?.occurredAt ?? '');
const EVER = { from: '2000-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' };
const MANY = 1_000;

for (const { name, open } of DATABASES) {
  describe(`queries, on ${name}`, function () {
    this.timeout(120_000);
    let models: ReadModels;
    let sql: Sql;
    before(async () => {
      models = await open();
      sql = models.database;
      const log = memoryLog();
      await log.append(appendsOf(history));
      await projectAll({ feed: log, database: models.database });
    });
    after(() => models.close());

    it('have something to look at', () => {
      expect(bob).to.be.a('string');
      expect(ofType('ChargeRefunded')).not.to.be.empty;
      expect(ofType('QuotaOverdrawn')).not.to.be.empty;
      expect(ofType('QuotaReleased').filter(({ data }) => data.call === undefined)).not.to.be.empty;
    });

    it('show as spent what caps count: what was charged less what came back', async () => {
      const amountOf = (all: readonly { readonly data: { readonly amount: bigint } }[]): bigint =>
        all.reduce((sum, { data }) => sum + data.amount, 0n);
      for (const userId of new Set(ofType('ChargeRefunded').map(({ data }) => data.userId))) {
        const refunds = ofType('ChargeRefunded').filter(({ data }) => data.userId === userId);
        const charges = debits.filter(({ data }) => data.userId === userId);
        expect((await accountBalance(sql, userId, NOW))?.spent.total).to.equal(amountOf(charges) - amountOf(refunds));
        const keys = [...new Set(charges.map(({ data }) => data.tokenId))].map((tokenId) => ({ tokenId, userId }));
        for (const { tokenId, spent } of await keySpends(sql, userId, keys, NOW)) {
          const ofKey = ({ data }: { readonly data: { readonly tokenId?: TokenId | undefined } }): boolean => data.tokenId === tokenId;
          expect(spent.total).to.equal(amountOf(charges.filter(ofKey)) - amountOf(refunds.filter(ofKey)));
        }
      }
    });

    describe('show a user what is the user’s own, and nothing else', () => {
      it('in the request log', async () => {
        const all = await requests(sql, { userId: 'all' }, { limit: MANY });
        const own = await requests(sql, { userId: ann }, { limit: MANY });
        expect(own).to.deep.equal(all.filter(({ userId }) => userId === ann));
        expect(own).not.to.be.empty;
        const foreign = all.find(({ userId }) => userId === bob) as RequestRow;
        expect(await requestById(sql, ann, foreign.requestId)).to.equal(null);
        expect((await requestById(sql, bob, foreign.requestId))?.requestId).to.equal(foreign.requestId);
        expect(await requests(sql, { userId: ann, tokenId: foreign.tokenId }, { limit: MANY })).to.deep.equal([]);
        expect((await requestSummary(sql, { userId: ann })).amount).to.equal(own.reduce((sum, { amount }) => sum + amount, 0n));
        expect(await requestsAfter(sql, { userId: ann, search: foreign.requestId }, { after: 0n as Position, limit: MANY })).to.deep.equal(
          [],
        );
        const buckets = await requestHistogram(sql, { userId: ann, ...EVER }, 86_400_000);
        expect(buckets.reduce((sum, { amount }) => sum + amount, 0n)).to.equal(own.reduce((sum, { amount }) => sum + amount, 0n));
      });

      it('in the journal and its accounts', async () => {
        const own = await journalEntries(sql, { userId: ann, view: 'entries', limit: MANY });
        expect(own.every(({ userId }) => userId === ann)).to.equal(true);
        const all = await journalEntries(sql, { userId: 'all', view: 'entries', limit: MANY * 10 });
        expect(own.map(({ position, entry }) => [position, entry])).to.deep.equal(
          all.filter(({ userId }) => userId === ann).map(({ position, entry }) => [position, entry]),
        );
        expect(await journalEntries(sql, { userId: ann, view: 'entries', account: `wallet:${bob}`, limit: MANY })).to.deep.equal([]);
        expect(await accountStatement(sql, { userId: ann, account: `wallet:${bob}`, limit: MANY })).to.deep.equal([]);
        const revenue = all.find(({ kind }) => kind === 'charge') as JournalRow;
        expect(await accountStatement(sql, { userId: ann, account: revenue.credit, limit: MANY })).to.deep.equal([]);
        const accounts = await ledgerAccounts(sql, { userId: ann, limit: MANY });
        expect(accounts.map(({ account }) => account)).to.include(`wallet:${ann}`);
        const leases = new Set(ofType('SpendLeaseGranted').flatMap(({ data }) => (data.userId === ann ? [`held:${data.leaseId}`] : [])));
        expect(
          accounts.every(({ account }) => account === `wallet:${ann}` || account === `overdraft:${ann}` || leases.has(account)),
        ).to.equal(true);
      });

      it('among keys, people and spending', async () => {
        const all = await tokens(sql, { userId: 'all', now: new Date(NOW).toISOString(), limit: MANY });
        const own = await tokens(sql, { userId: ann, now: new Date(NOW).toISOString(), limit: MANY });
        expect(own).to.deep.equal(all.filter(({ userId }) => userId === ann));
        const foreign = all.find(({ userId }) => userId === bob)?.tokenId as TokenId;
        expect(await tokenById(sql, ann, foreign)).to.equal(null);
        expect((await tokenById(sql, 'all', foreign))?.tokenId).to.equal(foreign);
        expect(await tokenNames(sql, ann, [foreign])).to.deep.equal(new Map());
        expect(await countTokens(sql, ann)).to.equal(own.length);
        expect(await keySpends(sql, ann, all, NOW)).to.have.length(own.length);
        expect((await listUsers(sql, { userId: ann, limit: MANY })).map(({ userId }) => userId)).to.deep.equal([ann]);
        expect((await listUsers(sql, { userId: 'all', limit: MANY })).some((user) => 'passwordHash' in user)).to.equal(false);
        expect((await accountBalance(sql, ann, NOW))?.userId).to.equal(ann);
        expect(await accountBalance(sql, 'usr_nobody' as UserId, NOW)).to.equal(null);
      });

      it('in usage', async () => {
        for (const groups of [
          await usageByHour(sql, { userId: ann }, EVER, 'user'),
          await usageByDay(sql, { userId: ann }, { from: '2000-01-01', to: '2100-01-01' }, 'user'),
        ]) {
          expect(groups).not.to.be.empty;
          expect(groups.every((group) => group.name === ann && group.bucket !== null)).to.equal(true);
        }
      });
    });

    it('page through everything once, in order, whatever the page', async () => {
      const all = await requests(sql, { userId: 'all' }, { limit: MANY });
      const paged: RequestRow[] = [];
      for (let before: Position | undefined; ; before = paged.at(-1)?.position) {
        const page = await requests(sql, { userId: 'all' }, { limit: 7, ...(before === undefined ? {} : { before }) });
        if (page.length === 0) break;
        paged.push(...page);
      }
      expect(paged).to.deep.equal(all);
      const tail = await requestsAfter(sql, { userId: 'all' }, { after: 0n as Position, limit: MANY });
      expect(tail).to.deep.equal([...all].reverse());

      const entries = await journalEntries(sql, { userId: 'all', view: 'statement', limit: MANY * 10 });
      const pagedEntries: JournalRow[] = [];
      for (let before: EntryPlace | undefined; ; before = pagedEntries.at(-1)) {
        const page = await journalEntries(sql, {
          userId: 'all',
          view: 'statement',
          limit: 11,
          ...(before === undefined ? {} : { before }),
        });
        if (page.length === 0) break;
        pagedEntries.push(...page);
      }
      expect(pagedEntries).to.deep.equal(entries);
      expect(entries.some(({ kind }) => kind === 'hold' || kind === 'hold_returned' || kind === 'upstream_cost')).to.equal(false);

      const keys = await tokens(sql, { userId: 'all', now: new Date(NOW).toISOString(), limit: MANY });
      const next = await tokens(sql, { userId: 'all', now: new Date(NOW).toISOString(), limit: 2, before: keys[1]?.tokenId });
      expect(next).to.deep.equal(keys.slice(2, 4));
    });

    it('filter calls by what they were and how they went', async () => {
      const all = await requests(sql, { userId: 'all' }, { limit: MANY });
      const failed = ({ state, status }: RequestRow): boolean => state !== 'running' && (status ?? 599) >= 400;
      const some = all.find(({ state }) => state === 'charged') as RequestRow;
      const middle = [...all].map(({ startedAt }) => startedAt).sort()[Math.floor(all.length / 2)] as string;
      const cases: readonly (readonly [Omit<RequestFilter, 'userId'>, (row: RequestRow) => boolean])[] = [
        [{ tokenId: some.tokenId }, ({ tokenId }) => tokenId === some.tokenId],
        [{ channelId: some.channelId as NonNullable<typeof some.channelId> }, ({ channelId }) => channelId === some.channelId],
        [{ model: some.model }, ({ model }) => model === some.model],
        [{ endpoint: 'embeddings' }, ({ endpoint }) => endpoint === 'embeddings'],
        [{ state: 'running' }, ({ state }) => state === 'running'],
        [{ state: 'released' }, ({ state }) => state === 'released'],
        [{ result: 'failed' }, failed],
        [{ result: 'ok' }, (row) => row.state !== 'running' && !failed(row)],
        [{ status: 502 }, ({ status }) => status === 502],
        [{ errorCode: 'upstream_failed' }, ({ errorCode }) => errorCode === 'upstream_failed'],
        [{ streamed: true }, ({ streamed }) => streamed === true],
        [{ from: middle }, ({ startedAt }) => startedAt >= middle],
        [{ to: middle }, ({ startedAt }) => startedAt < middle],
        [{ search: some.requestId.slice(0, -1) }, ({ requestId }) => requestId.startsWith(some.requestId.slice(0, -1))],
        [
          { model: some.model, result: 'ok', from: middle },
          (row) => row.model === some.model && row.state !== 'running' && !failed(row) && row.startedAt >= middle,
        ],
      ];
      for (const [filter, fits] of cases) {
        const found = await requests(sql, { userId: 'all', ...filter }, { limit: MANY });
        expect(found, JSON.stringify(filter)).to.deep.equal(all.filter(fits));
        expect(found, JSON.stringify(filter)).not.to.be.empty;
      }
    });

    it('show one call with what came after it', async () => {
      for (const { data } of ofType('ChargeRefunded')) {
        const refunds = ofType('ChargeRefunded').filter((other) => other.data.requestId === data.requestId);
        const detail = await requestById(sql, data.userId, data.requestId);
        expect(detail?.refunded).to.equal(refunds.reduce((sum, refund) => sum + refund.data.amount, 0n));
      }
      const [overdrawn] = ofType('QuotaOverdrawn');
      if (overdrawn === undefined) throw new Error('the history has one');
      const detail = await requestById(sql, 'all', overdrawn.data.requestId);
      expect(detail).to.include({ overdrawn: overdrawn.data.amount, refunded: detail?.refunded });
      expect(detail?.computed).to.equal((detail?.amount ?? 0n) + overdrawn.data.amount);
      const debit = debits.find(({ data }) => data.requestId === overdrawn.data.requestId);
      expect(detail?.usage).to.deep.equal(debit?.data.usage);
      expect(detail?.attempts).to.deep.equal(debit?.data.call.attempts);
      const reservation = ofType('QuotaReserved').find(({ data }) => data.requestId === overdrawn.data.requestId);
      expect(detail?.held).to.equal(reservation?.data.amount);
    });

    it('count calls in steps of time that begin where they are asked to', async () => {
      const all = (await requests(sql, { userId: 'all' }, { limit: MANY })).filter(({ state }) => state !== 'running');
      const from = '2026-03-28T00:07:00.000Z';
      const stepMs = 3_600_000;
      const buckets = await requestHistogram(sql, { userId: 'all', from, to: EVER.to }, stepMs);
      for (const { start, ok, failed } of buckets) {
        expect((Date.parse(start) - Date.parse(from)) % stepMs).to.equal(0);
        const inside = all.filter(({ startedAt }) => startedAt >= start && Date.parse(startedAt) < Date.parse(start) + stepMs);
        expect(ok + failed).to.equal(inside.length);
      }
      expect(buckets.reduce((sum, { ok, failed }) => sum + ok + failed, 0)).to.equal(all.length);
      const { firstByteMsP50, firstByteMsP95, requests: counted } = await requestSummary(sql, { userId: 'all' });
      const times = all.flatMap(({ firstByteMs }) => (firstByteMs === null ? [] : [firstByteMs])).sort((a, b) => a - b);
      expect(firstByteMsP50).to.equal(times[Math.ceil(times.length * 0.5) - 1]);
      expect(firstByteMsP95).to.equal(times[Math.ceil(times.length * 0.95) - 1]);
      expect(counted).to.equal(all.length);
    });

    it('give an account’s statement with its running balance', async () => {
      const statement = await accountStatement(sql, { userId: ann, account: `wallet:${ann}`, limit: MANY });
      expect(statement.at(-1)?.balance).to.equal((statement.at(-1)?.credit ?? 0n) - (statement.at(-1)?.debit ?? 0n));
      statement.forEach((line, index) => expect(line.balance).to.equal((statement[index + 1]?.balance ?? 0n) + line.credit - line.debit));
      expect(statement[0]?.balance).to.equal((await accountBalance(sql, ann, NOW))?.wallet);
      const second = await accountStatement(sql, { userId: 'all', account: `wallet:${ann}`, before: statement[2], limit: 2 });
      expect(second).to.deep.equal(statement.slice(3, 5));
      const charge = (await journalEntries(sql, { userId: 'all', view: 'statement', kind: 'charge', limit: 1 }))[0] as JournalRow;
      const ofCall = await journalEntries(sql, {
        userId: 'all',
        view: 'entries',
        requestId: charge.requestId as NonNullable<typeof charge.requestId>,
        limit: MANY,
      });
      expect(ofCall.map(({ kind }) => kind)).to.include('charge');
      expect(ofCall.every(({ requestId }) => requestId === charge.requestId)).to.equal(true);
    });

    it('find people, keys, channels and prices', async () => {
      const [someone] = ofType('Registered');
      if (someone === undefined) throw new Error('the history has one');
      expect((await userByEmail(sql, someone.data.email.toUpperCase()))?.userId).to.equal(someone.data.userId);
      expect(await userByEmail(sql, 'nobody@example.com')).to.equal(null);
      expect((await userById(sql, someone.data.userId))?.email).to.equal(someone.data.email);
      expect(await countUsers(sql)).to.equal(ofType('Registered').length);
      expect(await listUsers(sql, { userId: 'all', role: 'admin', limit: MANY })).to.satisfy((found: { role: string }[]) =>
        found.every(({ role }) => role === 'admin'),
      );
      expect(await listUsers(sql, { userId: 'all', status: 'suspended', limit: MANY })).to.satisfy((found: { suspended: boolean }[]) =>
        found.every(({ suspended }) => suspended),
      );

      const moment = new Date(NOW + 400 * 86_400_000).toISOString();
      const counts = new Map<string, number>();
      for (const status of ['active', 'disabled', 'revoked', 'exhausted', 'expired'] as const)
        counts.set(status, (await tokens(sql, { userId: 'all', status, now: moment, limit: MANY })).length);
      expect([...counts.values()].reduce((sum, count) => sum + count, 0)).to.equal(await countTokens(sql, 'all'));
      const [key] = await tokens(sql, { userId: 'all', now: moment, limit: 1 });
      expect(await tokens(sql, { userId: 'all', now: moment, search: key?.name.toUpperCase() ?? '', limit: MANY })).to.deep.include(key);

      const names = await channelNames(sql);
      for (const channel of await listChannels(sql)) expect(names.get(channel.channelId)).to.equal(channel.settings.name);
      expect((await listChannels(sql, { model: 'gpt-4o', provider: 'openai' })).length).to.equal((await listChannels(sql)).length);
      expect(await listChannels(sql, { provider: 'sandbox' })).to.deep.equal([]);
      const [channelId] = [...names.keys()];
      if (channelId !== undefined) expect((await channelById(sql, channelId))?.channelId).to.equal(channelId);

      const lists = await listPriceLists(sql);
      expect(lists).to.have.length(ofType('PriceListPublished').length);
      const inForce = await priceListAt(sql, moment);
      expect(inForce?.priceListId).to.equal(lists.find(({ withdrawn }) => !withdrawn)?.priceListId);
      expect(await priceListAt(sql, '2000-01-01T00:00:00.000Z')).to.equal(null);
      expect((await priceListById(sql, (lists[0] as (typeof lists)[number]).priceListId))?.models.length).to.equal(lists[0]?.models);
      expect((await groupRatios(sql)).map(({ group }) => group)).to.deep.equal(
        [...new Set(ofType('GroupRatioSet').map(({ data }) => data.group))].sort(),
      );
    });
  });
}
