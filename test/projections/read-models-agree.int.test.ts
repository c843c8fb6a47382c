import { expect } from 'chai';
import fc from 'fast-check';
import type { ReadModels } from '../../infra/read-models/read-models.ts';
import { fold } from '../../domain/kernel/decider.ts';
import { entriesOf, JOURNAL_TYPES } from '../../domain/ledger/journal.ts';
import { accountOf, accountStream, type Account } from '../../domain/ledger/account.ts';
import { channelOf } from '../../domain/channel/channel.ts';
import { dayOf } from '../../domain/ledger/time-window.ts';
import { tokenOf } from '../../domain/token/token.ts';
import { accountBalances, keySpends, unsettledLeases } from '../../projections/account-balances/queries.ts';
import { listChannels } from '../../projections/channels/queries.ts';
import { dropReadModels } from '../../projections/engine/engine-schema.ts';
import {
  accountsOffTheirEntries,
  accountStatement,
  journalEntries,
  ledgerAccounts,
  trialBalance,
} from '../../projections/journal/queries.ts';
import { requests, requestSummary } from '../../projections/request-log/queries.ts';
import { tokens } from '../../projections/token-lookup/queries.ts';
import { usageOverDays } from '../../projections/usage-daily/queries.ts';
import { usageOverHours } from '../../projections/usage-hourly/queries.ts';
import type { AccountEvent, ChannelEvent, DomainEvent, EventOf, TokenEvent } from '../../schemas/events/catalogue.ts';
import type { UserId } from '../../schemas/ids.ts';
import { appendsOf, histories, type History } from '../support/histories.ts';
import { memoryLog } from '../support/memory-log.ts';
import { projectAll } from '../support/projecting.ts';
import { DATABASES } from '../support/read-models.ts';

const EVER = { from: '2000-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' };
const ALL_DAYS = { from: '2000-01-01', to: '2100-01-01' };
const MANY = 1_000;

const streamsOf = (history: History): ReadonlyMap<string, DomainEvent[]> => {
  const streams = new Map<string, DomainEvent[]>();
  for (const { stream, events } of history) streams.set(stream, [...(streams.get(stream) ?? []), ...events]);
  return streams;
};

const total = <Item>(items: readonly Item[], of: (item: Item) => bigint): bigint => items.reduce((sum, item) => sum + of(item), 0n);

for (const { name, open } of DATABASES) {
  describe(`read models, on ${name}`, function () {
    this.timeout(120_000);
    let models: ReadModels;
    before(async () => {
      models = await open();
    });
    after(() => models.close());

    it('say what the deciders say, and agree with each other to the nano-dollar', async () => {
      await fc.assert(
        fc.asyncProperty(histories({ minSteps: 60, maxSteps: 160 }), async (history) => {
          const { database: sql } = models;
          await sql.transaction(dropReadModels);
          const log = memoryLog();
          await log.append(appendsOf(history));
          await projectAll({ feed: log, database: sql });
          const streams = streamsOf(history);
          const events = history.flatMap((step) => step.events);
          const now = Date.parse(history.at(-1)?.occurredAt ?? EVER.from);

          const debits = events.filter((event): event is EventOf<'QuotaDebited'> => event.type === 'QuotaDebited');
          const refunds = events.filter((event): event is EventOf<'ChargeRefunded'> => event.type === 'ChargeRefunded');
          const ended = events.filter(({ type }) => type === 'QuotaDebited' || type === 'QuotaReleased');
          const accounts = await accountBalances(sql, 'all', now);
          const folded = new Map<UserId, Account>();
          for (const { userId } of accounts)
            folded.set(userId, fold(accountOf(userId), streams.get(accountStream(userId)) as AccountEvent[]));

          const leases = await unsettledLeases(sql);
          expect(leases.map(({ leaseId }) => leaseId).sort()).to.deep.equal(
            [...folded.values()].flatMap((account) => [...account.leases.keys()]).sort(),
          );

          for (const account of accounts) {
            const decided = folded.get(account.userId);
            const mine = debits.filter(({ data }) => data.userId === account.userId);
            expect(account.wallet).to.equal(decided?.wallet);
            expect(account.timeZone).to.equal(decided?.timeZone);
            const back = refunds.filter(({ data }) => data.userId === account.userId);
            expect(account.spent.total).to.equal(total(mine, ({ data }) => data.amount) - total(back, ({ data }) => data.amount));
            const openLeases = leases.filter(({ userId }) => userId === account.userId);
            const unsettled = total(
              mine.filter(({ data }) => openLeases.some(({ leaseId }) => leaseId === data.leaseId)),
              ({ data }) => data.amount,
            );
            expect(account.held).to.equal(total(openLeases, ({ amount }) => amount) - unsettled);
            // What caps count, with what they will count when the leases are settled.
            expect(account.spent.total).to.equal((decided?.spent.total ?? 0n) + unsettled);

            const entries = await journalEntries(sql, { userId: account.userId, view: 'entries', limit: MANY });
            expect(entries[0]?.balance ?? 0n).to.equal(account.balance);
            entries.forEach((entry, index) => expect(entry.balance ?? 0n).to.equal((entries[index + 1]?.balance ?? 0n) + entry.change));
          }

          const { difference, debits: allDebits } = await trialBalance(sql);
          expect(difference).to.equal(0n);
          expect(await accountsOffTheirEntries(sql)).to.deep.equal([]);
          const ledger = await ledgerAccounts(sql, { userId: 'all', limit: MANY * 10 });
          expect(total(ledger, ({ balance }) => balance)).to.equal(0n);
          expect(total(ledger, (account) => account.debits)).to.equal(allDebits);
          // Whatever rows they are kept in, entries and statements are those that the domain has.
          const decidedEntries = events.flatMap((event) =>
            (JOURNAL_TYPES as readonly string[]).includes(event.type) ? entriesOf(event as Parameters<typeof entriesOf>[0]) : [],
          );
          const entries = await journalEntries(sql, { userId: 'all', view: 'entries', limit: MANY * 10 });
          expect(
            entries.map(({ position: _position, entry: _entry, recordedAt: _recordedAt, balance: _balance, ...entry }) => entry).reverse(),
          ).to.deep.equal(decidedEntries);
          for (const { account, balance } of ledger) {
            const lines = await accountStatement(sql, { userId: 'all', account, limit: MANY * 10 });
            const decided = decidedEntries.filter(({ debit, credit }) => debit === account || credit === account);
            expect(lines.map(({ kind, debit, credit }) => ({ kind, amount: debit + credit })).reverse(), account).to.deep.equal(
              decided.map(({ kind, amount }) => ({ kind, amount })),
            );
            expect(lines[0]?.balance, account).to.equal(balance);
            const filtered = await journalEntries(sql, { userId: 'all', view: 'entries', account, limit: MANY * 10 });
            expect(
              filtered.map(({ position, entry }) => `${position}.${entry}`),
              account,
            ).to.deep.equal(lines.map(({ position, entry }) => `${position}.${entry}`));
          }
          const revenue = total(
            ledger.filter(({ account }) => account.startsWith('revenue:')),
            ({ credits }) => credits,
          );

          const charged = total(debits, ({ data }) => data.amount);
          const overdrawn = total(accounts, (account) => account.overdrawn);
          expect(revenue).to.equal(charged + overdrawn);
          const keys = await tokens(sql, { userId: 'all', now: new Date(now).toISOString(), limit: MANY });
          const spends = await keySpends(sql, 'all', keys, now);
          const refunded = total(refunds, ({ data }) => data.amount);
          expect(total(spends, ({ spent }) => spent.total)).to.equal(charged - refunded);
          expect(total(accounts, ({ spent }) => spent.total)).to.equal(charged - refunded);
          const log_ = await requests(sql, { userId: 'all' }, { limit: MANY });
          expect(total(log_, ({ amount }) => amount)).to.equal(charged);
          expect(log_.filter(({ state }) => state !== 'running')).to.have.length(ended.length);
          expect(log_.filter(({ state }) => state === 'running')).to.have.length(
            events.filter(({ type }) => type === 'QuotaReserved').length - ended.length,
          );
          const summary = await requestSummary(sql, { userId: 'all' });
          expect(summary).to.include({ amount: charged, requests: ended.length });

          for (const groups of [
            await usageOverHours(sql, { userId: 'all' }, EVER, 'key'),
            await usageOverDays(sql, { userId: 'all' }, ALL_DAYS, 'model'),
          ]) {
            expect(total(groups, ({ amount }) => amount)).to.equal(charged);
            expect(groups.reduce((sum, { calls }) => sum + calls, 0)).to.equal(ended.length);
            expect(groups.reduce((sum, { failed }) => sum + failed, 0)).to.equal(summary.failed);
            expect(groups.reduce((sum, { inputTokens }) => sum + inputTokens, 0)).to.equal(summary.inputTokens);
            expect(groups.reduce((sum, { outputTokens }) => sum + outputTokens, 0)).to.equal(summary.outputTokens);
          }

          // The day that caps count is the day that usage shows, which shows charges and not what came back.
          for (const { userId, timeZone, spent } of accounts) {
            const today = dayOf(now, timeZone);
            const tomorrow = new Date(Date.parse(`${today}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
            const usage = await usageOverDays(sql, { userId }, { from: today, to: tomorrow }, 'none');
            const backIn = (period: string): bigint =>
              total(
                refunds.filter(({ data }) => data.userId === userId && data.day?.startsWith(period) === true),
                ({ data }) => data.amount,
              );
            expect(usage[0]?.amount ?? 0n).to.equal(spent.today + backIn(today));
            const month = await usageOverDays(sql, { userId }, { from: `${today.slice(0, 7)}-01`, to: tomorrow }, 'none');
            expect(month[0]?.amount ?? 0n).to.equal(spent.thisMonth + backIn(today.slice(0, 7)));
          }

          for (const key of keys) {
            const decided = fold(tokenOf(key.tokenId), streams.get(`token-${key.tokenId}`) as TokenEvent[]);
            const { userId, name: keyName, expiresAt, restrictions, disabled, revoked, exhausted } = key;
            expect({ userId, name: keyName, expiresAt, restrictions, disabled, revoked, exhausted }).to.deep.equal(decided);
          }
          for (const channel of await listChannels(sql)) {
            const decided = fold(channelOf(channel.channelId), streams.get(`channel-${channel.channelId}`) as ChannelEvent[]);
            expect(channel).to.deep.include({
              settings: decided.settings,
              enabled: decided.enabled,
              disabledBy: decided.disabledBy,
              health: decided.health,
            });
            expect(
              channel.keys.map(({ keyId, secret, enabled, disabledBy = null }) => [keyId, { secret, enabled, disabledBy }]),
            ).to.have.deep.members([...decided.keys]);
          }
        }),
        // Shrinking would take minutes; the seed is printed.
        { numRuns: name === 'PGlite' ? 2 : 6, endOnFailure: true },
      );
    });
  });
}
