import { expect } from 'chai';
import { dayOf } from '../../../../domain/ledger/time-window.ts';
import { ProfileView, UserPage, UserView } from '../../../../schemas/http/users.ts';
import { UserId } from '../../../../schemas/ids.ts';
import { ALL, answered, describeOnShop, FOREIGN_CURSORS, walk } from './on-shop.ts';
import { money, NOW, PEOPLE, SECRET, ZONES } from './shop.ts';

const { ada, bob, cyd } = PEOPLE;

describeOnShop('people', (shop) => {
  const ids = async (filter: Parameters<ReturnType<typeof shop>['reads']['users']>[0]) =>
    (await shop().reads.users(filter, ALL)).rows.map(({ userId }) => userId);

  it('are walked once each, newest first', async () => {
    for (const limit of [1, 2, 3, 4]) {
      const rows = await walk(limit, async (page) => answered(UserPage, await shop().reads.users({}, page)));
      expect(rows.map(({ userId }) => userId)).to.deep.equal([cyd, bob, ada]);
    }
    const first = await shop().reads.users({}, { cursor: undefined, limit: 1 });
    for (const cursor of FOREIGN_CURSORS) expect(await shop().reads.users({}, { cursor, limit: 1 })).to.deep.equal(first);
  });

  it('are found by name, address, id, role and status', async () => {
    expect(await ids({ search: 'ADMIN' })).to.deep.equal([ada]);
    expect(await ids({ search: 'bob@' })).to.deep.equal([bob]);
    expect(await ids({ search: 'usr_3' })).to.deep.equal([cyd]);
    expect(await ids({ search: 'nobody\0' })).to.deep.equal([]);
    expect(await ids({ role: 'admin' })).to.deep.equal([ada]);
    expect(await ids({ role: 'user', status: 'active' })).to.deep.equal([bob]);
    expect(await ids({ status: 'suspended' })).to.deep.equal([cyd]);
  });

  it('have what their events add up to', async () => {
    const { reads, balance, held, calls } = shop();
    for (const userId of [ada, bob]) {
      const user = answered(UserView, (await reads.user(userId))!);
      const spent = calls.filter((call) => call.userId === userId).reduce((sum, { amount }) => sum + amount, 0n);
      expect(user).to.include({ balance: balance.get(userId), held: held.get(userId), spentTotal: spent, status: 'active' });
      expect((await reads.users({}, ALL)).rows.find((row) => row.userId === userId)).to.deep.equal(user);
    }
    expect(held.get(bob)).not.to.equal(0n);
    expect((await reads.user(bob))?.caps).to.deep.equal({ day: null, month: money(70_000), total: null });
  });

  it('may have no account yet, and never show their password', async () => {
    const { reads } = shop();
    expect(answered(UserView, (await reads.user(cyd))!)).to.deep.include({
      balance: 0n,
      held: 0n,
      spentTotal: 0n,
      status: 'suspended',
      suspendedReason: 'unpaid',
      caps: { day: null, month: null, total: null },
    });
    const seen = [await reads.users({}, ALL), await reads.user(bob), await reads.profile(bob)];
    expect(JSON.stringify(seen, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))).not.to.include(SECRET);
  });

  it('see in their profile what they spent by their own days', async () => {
    const { reads, calls } = shop();
    for (const userId of [ada, bob]) {
      const zone = ZONES.get(userId) ?? 'UTC';
      const profile = answered(ProfileView, (await reads.profile(userId))!);
      const spentIn = (length: number) =>
        calls
          .filter((call) => call.userId === userId && dayOf(call.startedAt, zone).slice(0, length) === dayOf(NOW, zone).slice(0, length))
          .reduce((sum, { amount }) => sum + amount, 0n);
      expect(profile).to.include({ timeZone: zone, spentToday: spentIn(10), spentThisMonth: spentIn(7) });
      expect(profile.user).to.deep.equal(await reads.user(userId));
    }
    expect(answered(ProfileView, (await reads.profile(cyd))!)).to.include({ timeZone: 'UTC', spentToday: 0n, spentThisMonth: 0n });
    expect(await reads.profile(UserId.parse('usr_none'))).to.equal(null);
    expect(await reads.user(UserId.parse('usr_none'))).to.equal(null);
  });
});
