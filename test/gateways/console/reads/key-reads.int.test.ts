import { expect } from 'chai';
import { dayOf, monthOf } from '../../../../domain/ledger/time-window.ts';
import { KeyPage, KeyView } from '../../../../schemas/http/keys.ts';
import { TokenId } from '../../../../schemas/ids.ts';
import { ALL, answered, describeOnShop, FOREIGN_CURSORS, walk } from './on-shop.ts';
import { at, KEY_OWNERS, KEYS, money, NOW, PEOPLE, ZONES } from './shop.ts';

describeOnShop('API keys', (shop) => {
  const newestFirst = [...KEY_OWNERS.keys()].reverse();

  it('are walked once each, newest first, by pages of any length', async () => {
    for (const limit of [1, 2, 3, 7, 50]) {
      const rows = await walk(limit, async (page) => answered(KeyPage, await shop().reads.keys({ owner: 'everybody' }, page)));
      expect(rows.map(({ tokenId }) => tokenId)).to.deep.equal(newestFirst);
    }
  });

  it('are the owner’s alone', async () => {
    for (const owner of Object.values(PEOPLE)) {
      const rows = await walk(2, (page) => shop().reads.keys({ owner }, page));
      expect(rows.map(({ tokenId }) => tokenId)).to.deep.equal(newestFirst.filter((tokenId) => KEY_OWNERS.get(tokenId) === owner));
    }
  });

  it('stand as their events and the clock have it', async () => {
    const { rows } = await shop().reads.keys({ owner: 'everybody' }, ALL);
    const status = (tokenId: TokenId) => {
      const row = rows.find((each) => each.tokenId === tokenId);
      return [row?.status, row?.statusReason];
    };
    expect(status(KEYS.alpha)).to.deep.equal(['active', null]);
    expect(status(KEYS.paused)).to.deep.equal(['disabled', 'on holiday']);
    expect(status(KEYS.past)).to.deep.equal(['expired', null]);
    expect(status(KEYS.lost)).to.deep.equal(['revoked', 'in a repository']);
    expect(status(KEYS.drained)).to.deep.equal(['exhausted', null]);
    const earlier = await shop()
      .readsAt(NOW - 2 * 3_600_000)
      .key(KEYS.past);
    expect(earlier?.status).to.equal('active');
  });

  it('are found by status and by name, prefix or id, and by both', async () => {
    const find = async (filter: Parameters<ReturnType<typeof shop>['reads']['keys']>[0]) =>
      (await shop().reads.keys(filter, ALL)).rows.map(({ name }) => name);
    for (const status of ['active', 'disabled', 'revoked', 'exhausted', 'expired'] as const) {
      const rows = await walk(1, (page) => shop().reads.keys({ owner: 'everybody', status }, page));
      expect(rows.every((row) => row.status === status)).to.equal(true);
      expect(rows.length).to.equal(status === 'active' ? 3 : 1);
    }
    expect(await find({ owner: 'everybody', search: 'ALP' })).to.deep.equal(['alpha']);
    expect(await find({ owner: 'everybody', search: 'sk-ob-02' })).to.deep.equal(['beta']);
    expect(await find({ owner: 'everybody', search: 'key_03' })).to.deep.equal(['gamma']);
    expect(await find({ owner: PEOPLE.ada, search: 'beta' })).to.deep.equal([]);
    expect(await find({ owner: PEOPLE.bob, search: 'a', status: 'active' })).to.deep.equal(['gamma', 'beta']);
    for (const search of ['%', '_', "'", '\\', '\0', 'a\0']) expect(await find({ owner: 'everybody', search })).to.deep.equal([]);
  });

  it('show what they spent, by the days of their owner, and when they were used last', async () => {
    const { reads, calls } = shop();
    for (const [tokenId, userId] of KEY_OWNERS) {
      const zone = ZONES.get(userId) ?? 'UTC';
      const today = dayOf(NOW, zone);
      const charged = calls.filter((call) => call.tokenId === tokenId && call.state === 'charged');
      const spentIf = (fits: (day: string) => boolean) =>
        charged.filter(({ startedAt }) => fits(dayOf(startedAt, zone))).reduce((sum, { amount }) => sum + amount, 0n);
      const key = await reads.key(tokenId);
      expect(key && answered(KeyView, key).spent).to.deep.equal({
        today: spentIf((day) => day === today),
        thisMonth: spentIf((day) => monthOf(day) === monthOf(today)),
        total: spentIf(() => true),
      });
      const last = Math.max(...charged.map(({ startedAt }) => startedAt));
      expect(key?.lastUsedAt).to.equal(charged.length === 0 ? null : at(last));
    }
    // Bob’s morning is Ada’s evening: were they told apart by one clock, something would be missing.
    const beta = await reads.key(KEYS.beta);
    expect(beta?.spent.today).not.to.equal(0n);
    expect(beta?.spent.today).not.to.equal(beta?.spent.thisMonth);
    expect(beta?.spent.thisMonth).not.to.equal(beta?.spent.total);
  });

  it('show caps and restrictions', async () => {
    const { reads } = shop();
    expect((await reads.key(KEYS.beta))?.caps).to.deep.equal({ day: money(9_000), month: null, total: money(30_000) });
    expect((await reads.key(KEYS.alpha))?.caps).to.deep.equal({ day: null, month: null, total: null });
    expect((await reads.key(KEYS.gamma))?.restrictions).to.deep.equal({ models: ['m1'], endpoints: ['chat'], addresses: null });
  });

  it('that nobody issued are null, and cursors that nobody gave are the first page', async () => {
    const { reads } = shop();
    expect(await reads.key(TokenId.parse('key_none'))).to.equal(null);
    const first = await reads.keys({ owner: 'everybody' }, { cursor: undefined, limit: 2 });
    for (const cursor of FOREIGN_CURSORS) expect(await reads.keys({ owner: 'everybody' }, { cursor, limit: 2 })).to.deep.equal(first);
  });
});
