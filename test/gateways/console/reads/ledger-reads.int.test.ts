import { expect } from 'chai';
import type { z } from 'zod';
import { JournalPage, LedgerAccountPage, TrialBalance, type JournalRow } from '../../../../schemas/http/ledger.ts';
import { RequestId } from '../../../../schemas/ids.ts';
import { ALL, answered, describeOnShop, FOREIGN_CURSORS, walk } from './on-shop.ts';
import { KEYS, NOW, PEOPLE, HOUR_MS } from './shop.ts';

type Row = z.output<typeof JournalRow>;
const { ada, bob, cyd } = PEOPLE;
const CHANGES_NOTHING = ['hold', 'hold_returned', 'upstream_cost'];

describeOnShop('the journal', (shop) => {
  type Filter = Parameters<ReturnType<typeof shop>['reads']['journal']>[0];
  const all = async (filter: Partial<Filter>, limit = 200): Promise<readonly Row[]> =>
    walk(limit, async (page) =>
      answered(JournalPage, await shop().reads.journal({ owner: 'everybody', range: {}, view: 'entries', ...filter }, page)),
    );

  it('is walked once, newest first, by pages of any length, and exported alike', async () => {
    for (const owner of ['everybody', ada, bob] as const) {
      for (const view of ['entries', 'statement'] as const) {
        const whole = await all({ owner, view });
        const places = whole.map(({ entryId }) => entryId.split('.').map(Number));
        expect(places).to.deep.equal([...places].sort(([a = 0, b = 0], [c = 0, d = 0]) => c - a || d - b));
        expect(new Set(whole.map(({ entryId }) => entryId)).size).to.equal(whole.length);
        expect(await all({ owner, view }, 7)).to.deep.equal(whole);
        const exported: Row[] = [];
        for await (const row of shop().reads.journalRows({ owner, range: {}, view })) exported.push(row);
        expect(exported).to.deep.equal(whole);
      }
    }
  });

  it('has every movement of money of the history', async () => {
    const { calls } = shop();
    const entries = await all({});
    const sumOf = (kind: Row['kind']) => entries.filter((entry) => entry.kind === kind).reduce((sum, { amount }) => sum + amount, 0n);
    const total = (field: 'amount' | 'upstreamCost' | 'overdrawn' | 'refunded') => calls.reduce((sum, call) => sum + call[field], 0n);
    expect(sumOf('charge')).to.equal(total('amount'));
    expect(sumOf('upstream_cost')).to.equal(total('upstreamCost'));
    expect(sumOf('overdrawn')).to.equal(total('overdrawn'));
    expect(sumOf('refund')).to.equal(total('refunded'));
    expect(total('overdrawn') > 0n && total('refunded') > 0n).to.equal(true);
    expect(sumOf('grant')).to.equal(100_000_000n);
    expect(sumOf('adjustment')).to.equal(1_000_000n);
  });

  it('shows each user’s own entries, with the balance after each', async () => {
    for (const userId of [ada, bob]) {
      const entries = await all({ owner: userId });
      expect(entries.every((entry) => entry.userId === userId)).to.equal(true);
      let balance = 0n;
      for (const entry of [...entries].reverse()) {
        balance += entry.change;
        expect(entry.balance, entry.entryId).to.equal(balance);
      }
      expect(balance).to.equal(shop().balance.get(userId));
      const ofEverybody = (await all({})).filter((entry) => entry.userId === userId);
      expect(ofEverybody).to.deep.equal(entries);
    }
    expect(await all({ owner: cyd })).to.deep.equal([]);
    expect(
      (await all({})).filter(({ userId }) => userId === null).every(({ kind, balance }) => kind === 'upstream_cost' && balance === null),
    ).to.equal(true);
  });

  it('leaves out of a statement what changes no balance', async () => {
    const statement = await all({ owner: bob, view: 'statement' });
    expect(statement).to.deep.equal((await all({ owner: bob })).filter(({ kind }) => !CHANGES_NOTHING.includes(kind)));
    expect(statement.length).to.be.greaterThan(10);
  });

  it('is filtered by kind, account, call and time', async () => {
    const { calls } = shop();
    const entries = await all({});
    const refunded = calls.find(({ refunded: amount, userId }) => amount > 0n && userId === bob);
    if (refunded === undefined) return expect.fail('nothing of Bob’s was refunded');
    const { requestId } = refunded;
    expect(await all({ kind: 'refund' })).to.deep.equal(entries.filter(({ kind }) => kind === 'refund'));
    expect(await all({ account: `wallet:${bob}` }, 5)).to.deep.equal(
      entries.filter(({ debit, credit }) => [debit, credit].includes(`wallet:${bob}`)),
    );
    const ofCall = await all({ requestId });
    expect(ofCall.map(({ kind }) => kind)).to.deep.equal(['refund', 'refund', 'upstream_cost', 'charge']);
    expect((await all({ owner: bob, requestId })).map(({ kind }) => kind)).to.deep.equal(['refund', 'refund', 'charge']);
    expect(await all({ owner: ada, requestId })).to.deep.equal([]);
    expect(await all({ requestId: RequestId.parse('req_none') })).to.deep.equal([]);
    const [from, to] = [NOW - 30 * HOUR_MS, NOW - 3 * HOUR_MS];
    const between = entries.filter(({ recordedAt }) => Date.parse(recordedAt) >= from && Date.parse(recordedAt) < to);
    expect(await all({ range: { from, to } }, 4)).to.deep.equal(between);
    expect(between.length).to.be.greaterThan(4).and.lessThan(entries.length);
    const edge = Date.parse(between[0]?.recordedAt ?? '');
    expect((await all({ range: { from: edge } })).some(({ entryId }) => entryId === between[0]?.entryId)).to.equal(true);
    expect((await all({ range: { to: edge } })).some(({ entryId }) => entryId === between[0]?.entryId)).to.equal(false);
  });

  it('takes any account, time and cursor for what it is', async () => {
    const { reads } = shop();
    expect(await all({ account: 'wallet:\0' })).to.deep.equal([]);
    expect(
      await all({ range: { from: Date.parse('0000-01-01T00:00:00.000Z'), to: Date.parse('9999-12-31T23:59:59.999Z') } }),
    ).to.deep.equal(await all({}));
    const filter: Filter = { owner: 'everybody', range: {}, view: 'entries' };
    const first = await reads.journal(filter, { cursor: undefined, limit: 3 });
    for (const cursor of FOREIGN_CURSORS) expect(await reads.journal(filter, { cursor, limit: 3 })).to.deep.equal(first);
  });
});

describeOnShop('the ledger’s accounts', (shop) => {
  const all = (owner: Parameters<ReturnType<typeof shop>['reads']['ledgerAccounts']>[0]['owner'], prefix?: string, limit = 200) =>
    walk(limit, async (page) => answered(LedgerAccountPage, await shop().reads.ledgerAccounts({ owner, prefix }, page)));

  it('are walked once each by name, and balance', async () => {
    const accounts = await all('everybody');
    const names = accounts.map(({ account }) => account);
    expect(names).to.deep.equal([...new Set(names)].sort());
    expect(await all('everybody', undefined, 4)).to.deep.equal(accounts);
    for (const { debits, credits, balance } of accounts) expect(balance).to.equal(credits - debits);
    expect(accounts.reduce((sum, { balance }) => sum + balance, 0n)).to.equal(0n);
  });

  it('of a user are the wallet, the overdraft and what the user’s leases hold', async () => {
    const { balance, held } = shop();
    for (const userId of [ada, bob]) {
      const accounts = await all(userId);
      expect(accounts.every(({ account }) => /^(wallet|overdraft|held):/.test(account))).to.equal(true);
      const sumOf = (kind: string) =>
        accounts.filter(({ account }) => account.startsWith(kind)).reduce((sum, row) => sum + row.balance, 0n);
      expect(sumOf('held:')).to.equal(held.get(userId));
      expect(sumOf('wallet:') + sumOf('held:')).to.equal(balance.get(userId));
      const keys = userId === ada ? [KEYS.alpha] : [KEYS.beta, KEYS.gamma];
      for (const { account } of accounts)
        if (account.startsWith('held:')) expect(keys.some((tokenId) => account.startsWith(`held:lse_${tokenId.slice(4)}-`))).to.equal(true);
    }
    expect(await all(cyd)).to.deep.equal([]);
  });

  it('are found by the beginning of their name, and cursors that nobody gave are the first page', async () => {
    expect((await all('everybody', 'funding:')).map(({ account }) => account)).to.deep.equal(['funding:adjustment', 'funding:grant']);
    expect(await all(bob, 'revenue:')).to.deep.equal([]);
    expect(await all('everybody', 'wallet:\0')).to.deep.equal([]);
    const { reads } = shop();
    const first = await reads.ledgerAccounts({ owner: 'everybody' }, { cursor: undefined, limit: 2 });
    for (const cursor of FOREIGN_CURSORS)
      expect(await reads.ledgerAccounts({ owner: 'everybody' }, { cursor, limit: 2 })).to.deep.equal(first);
  });

  it('add up to a trial balance of nothing, as of the log’s end', async () => {
    const { reads, log } = shop();
    const balance = answered(TrialBalance, await reads.trialBalance());
    expect(balance.difference).to.equal(0n);
    expect(balance.position).to.equal((await log.head()).toString());
    const { rows } = await reads.ledgerAccounts({ owner: 'everybody' }, ALL);
    const groups = [...new Set(rows.map(({ account }) => account.split(':')[0] ?? ''))];
    expect(balance.groups).to.deep.equal(
      groups.map((group) => {
        const its = rows.filter(({ account }) => account.startsWith(`${group}:`));
        const sum = (side: 'debits' | 'credits') => its.reduce((total, row) => total + row[side], 0n);
        return { group, accounts: its.length, debits: sum('debits'), credits: sum('credits') };
      }),
    );
    expect(balance.debits).to.equal(balance.credits).and.not.to.equal(0n);
  });
});
