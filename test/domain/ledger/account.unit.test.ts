import { expect } from 'chai';
import { accountOf, isKeySpent, type AccountCommand, type GrantSpendLease } from '../../../domain/ledger/account.ts';
import { fold } from '../../../domain/kernel/decider.ts';
import type { AccountEvent } from '../../../schemas/events/catalogue.ts';
import { LeaseId, RequestId, TokenId, UserId } from '../../../schemas/ids.ts';
import { LARGEST_AMOUNT, type Money } from '../../../schemas/money.ts';
import { given } from '../../support/decider-spec.ts';

const userId = UserId.parse('usr_1');
const key = TokenId.parse('key_1');
const otherKey = TokenId.parse('key_2');
const request = RequestId.parse('req_1');
const leaseId = (name: string): LeaseId => LeaseId.parse(`lse_${name}`);
const money = (amount: bigint | number): Money => BigInt(amount) as Money;

const NOON = Date.parse('2026-05-10T12:00:00.000Z');
const HOUR = 3_600_000;
const DAY = '2026-05-10';
const account = accountOf(userId);

const opened = (timeZone = 'UTC'): AccountEvent => ({ type: 'AccountOpened', data: { userId, timeZone } });
const credit = (amount: number): AccountEvent => ({
  type: 'CreditGranted',
  data: { userId, amount: money(amount), source: 'admin', reason: 'test' },
});
const capped = (window: 'day' | 'month' | 'total', amount: number, tokenId?: TokenId): AccountEvent => ({
  type: 'CapSet',
  data: { userId, scope: tokenId === undefined ? { kind: 'user' } : { kind: 'key', tokenId }, window, amount: money(amount) },
});
const leased = (
  name: string,
  amount: number,
  { day = DAY, tokenId = key, holder = 'a' }: { day?: string; tokenId?: TokenId; holder?: string } = {},
): AccountEvent => ({
  type: 'SpendLeaseGranted',
  data: {
    userId,
    leaseId: leaseId(name),
    tokenId,
    holder,
    amount: money(amount),
    day,
    admitsUntil: '2026-05-10T12:00:30.000Z',
    expiresAt: '2026-05-10T12:00:45.000Z',
  },
});
const settled = (name: string, spent: number, returned: number, tokenId = key): AccountEvent => ({
  type: 'SpendLeaseSettled',
  data: { userId, leaseId: leaseId(name), tokenId, spent: money(spent), returned: money(returned) },
});
const refunded = (amount: number): AccountEvent => ({
  type: 'ChargeRefunded',
  data: { userId, leaseId: leaseId('1'), tokenId: key, day: DAY, requestId: request, model: 'm', amount: money(amount), reason: 'test' },
});

const grant = (
  changes: Partial<Omit<GrantSpendLease, 'least' | 'needed' | 'ahead'>> & { least?: number; needed?: number; ahead?: number },
): GrantSpendLease => ({
  kind: 'grantSpendLease',
  leaseId: leaseId('new'),
  tokenId: key,
  holder: 'a',
  now: NOON,
  admitsForMs: 30_000,
  graceMs: 15_000,
  ...changes,
  least: money(changes.least ?? 1),
  needed: money(changes.needed ?? 1),
  ahead: money(changes.ahead ?? 0),
});
const refund = (amount: number, charged = 100): AccountCommand => ({
  kind: 'refundCharge',
  leaseId: leaseId('1'),
  requestId: request,
  model: 'm',
  charged: money(charged),
  amount: money(amount),
  reason: 'test',
  counted: { tokenId: key, day: DAY },
});
const credited = (amount: Money): AccountCommand => ({ kind: 'grantCredit', amount, source: 'card', reason: 'top-up' });

describe('an account', () => {
  describe('being opened', () => {
    it('opens once', () => {
      given(account).when({ kind: 'openAccount', timeZone: 'Asia/Shanghai' }).then(opened('Asia/Shanghai'));
      given(account, opened()).when({ kind: 'openAccount', timeZone: 'UTC' }).refuses('already_exists');
    });

    it('takes nothing before', () => {
      given(account)
        .when(credited(money(5)))
        .refuses('not_found');
      given(account).when(grant({})).refuses('not_found');
    });
  });

  describe('credit', () => {
    it('comes in', () => {
      given(account, opened())
        .when(credited(money(5)))
        .then({ type: 'CreditGranted', data: { userId, amount: money(5), source: 'card', reason: 'top-up' } });
    });

    for (const amount of [0n, -1n]) {
      it(`of ${amount} is refused`, () =>
        given(account, opened())
          .when(credited(money(amount)))
          .refuses('invalid_request'));
    }

    it('never comes to more than an account can hold, set aside or not', () => {
      const full = credited(LARGEST_AMOUNT as Money);
      given(account, opened())
        .when(full)
        .leaves(({ wallet }) => expect(wallet).to.equal(LARGEST_AMOUNT));
      given(account, opened(), credit(1)).when(full).refuses('invalid_request');
      given(account, opened(), credit(1), leased('1', 1)).when(full).refuses('invalid_request');
      given(account, opened(), credit(1))
        .when({ kind: 'adjustCredit', amount: LARGEST_AMOUNT as Money, reason: 'x' })
        .refuses('invalid_request');
    });

    it('expires only as far as it is in the wallet', () => {
      given(account, opened(), credit(10), leased('1', 4))
        .when({ kind: 'expireCredit', amount: money(9), source: 'card' })
        .then({ type: 'CreditExpired', data: { userId, amount: money(6), source: 'card' } });
      given(account, opened())
        .when({ kind: 'expireCredit', amount: money(9), source: 'card' })
        .changesNothing();
    });

    it('is corrected by hand both ways, never below nothing', () => {
      const adjust = (amount: number): AccountCommand => ({ kind: 'adjustCredit', amount: money(amount), reason: 'mistake' });
      given(account, opened(), credit(10))
        .when(adjust(-10))
        .leaves(({ wallet }) => expect(wallet).to.equal(0n));
      given(account, opened(), credit(10))
        .when(adjust(3))
        .leaves(({ wallet }) => expect(wallet).to.equal(13n));
      given(account, opened(), credit(10)).when(adjust(-11)).refuses('exceeds_balance');
      given(account, opened(), credit(10), leased('1', 4)).when(adjust(-7)).refuses('exceeds_balance');
      given(account, opened()).when(adjust(0)).refuses('invalid_request');
    });
  });

  describe('a spend lease', () => {
    it('leaves the wallet and says when it ends', () => {
      given(account, opened(), credit(100))
        .when(grant({ least: 5, needed: 10 }))
        .then({
          type: 'SpendLeaseGranted',
          data: {
            userId,
            leaseId: leaseId('new'),
            tokenId: key,
            holder: 'a',
            amount: money(10),
            day: '2026-05-10',
            admitsUntil: '2026-05-10T12:00:30.000Z',
            expiresAt: '2026-05-10T12:00:45.000Z',
          },
        });
      given(account, opened(), credit(100))
        .when(grant({ needed: 10 }))
        .leaves(({ wallet }) => expect(wallet).to.equal(90n));
    });

    it('takes no more than there is, and nothing below the least', () => {
      given(account, opened(), credit(7))
        .when(grant({ least: 7, needed: 10 }))
        .leaves(({ wallet }) => expect(wallet).to.equal(0n));
      given(account, opened(), credit(7))
        .when(grant({ least: 8, needed: 10 }))
        .refuses('insufficient_quota');
      given(account, opened())
        .when(grant({ least: 0, needed: 0 }))
        .refuses('insufficient_quota');
    });

    it('is granted once', () => {
      given(account, opened(), credit(10), leased('new', 5))
        .when(grant({ needed: 5 }))
        .changesNothing();
    });

    it('brings a share ahead of need, in whole calls', () => {
      // A 32nd of 1 000 is 31; three calls of ten fit into it.
      given(account, opened(), credit(1_000))
        .when(grant({ least: 10, needed: 10, ahead: 500 }))
        .leaves(({ wallet }) => expect(wallet).to.equal(960n));
      given(account, opened(), credit(1_000))
        .when(grant({ least: 10, needed: 10, ahead: 20 }))
        .leaves(({ wallet }) => expect(wallet).to.equal(970n));
    });

    it('shrinks to single calls when the balance is low', () => {
      given(account, opened(), credit(319))
        .when(grant({ least: 10, needed: 10, ahead: 500 }))
        .leaves(({ wallet }) => expect(wallet).to.equal(309n));
      given(account, opened(), credit(319))
        .when(grant({ least: 10, needed: 0, ahead: 500 }))
        .refuses('insufficient_quota');
    });

    it('holds at least one call when it is wanted ahead of need', () => {
      given(account, opened(), credit(1_000))
        .when(grant({ least: 10, needed: 0, ahead: 0 }))
        .leaves(({ wallet }) => expect(wallet).to.equal(990n));
    });

    it('never reaches across the end of the account’s day', () => {
      const late = Date.parse('2026-05-10T15:59:50.000Z');
      given(account, opened('Asia/Shanghai'), credit(10))
        .when(grant({ now: late }))
        .leaves(({ leases }) => expect(leases.get(leaseId('new'))?.day).to.equal('2026-05-10'));
      given(account, opened('Asia/Shanghai'), credit(10))
        .when(grant({ now: late }))
        .then({
          type: 'SpendLeaseGranted',
          data: {
            userId,
            leaseId: leaseId('new'),
            tokenId: key,
            holder: 'a',
            amount: money(1),
            day: '2026-05-10',
            admitsUntil: '2026-05-10T16:00:00.000Z',
            expiresAt: '2026-05-10T16:00:15.000Z',
          },
        });
    });

    it('is settled once, and the rest comes back', () => {
      const settle: AccountCommand = { kind: 'settleLease', leaseId: leaseId('1'), spent: money(3) };
      given(account, opened(), credit(10), leased('1', 8))
        .when(settle)
        .then(settled('1', 3, 5));
      given(account, opened(), credit(10), leased('1', 8), settled('1', 3, 5))
        .when(settle)
        .changesNothing();
      given(account, opened(), credit(10), leased('1', 8))
        .when(settle)
        .leaves(({ wallet }) => expect(wallet).to.equal(7n));
    });

    it('that claims to have spent more than it had is a bug', () => {
      expect(() =>
        given(account, opened(), credit(10), leased('1', 8)).when({ kind: 'settleLease', leaseId: leaseId('1'), spent: money(9) }),
      ).to.throw('cannot have spent');
    });

    it('is asked back from others, once, and never from whoever asks', () => {
      const history = [opened(), credit(10), leased('1', 2), leased('2', 2, { holder: 'b' }), leased('3', 2, { holder: 'c' })];
      const asked = (name: string): AccountEvent => ({ type: 'LeaseReturnRequested', data: { userId, leaseId: leaseId(name) } });
      given(account, ...history)
        .when({ kind: 'requestLeaseReturns', holder: 'a' })
        .then(asked('2'), asked('3'));
      given(account, ...history, asked('2'))
        .when({ kind: 'requestLeaseReturns', holder: 'a' })
        .then(asked('3'));
      given(account, ...history, asked('2'), asked('3'))
        .when({ kind: 'requestLeaseReturns', holder: 'a' })
        .changesNothing();
    });

    it('is asked back from so many at once that one append holds them all', () => {
      const many = Array.from({ length: 2_000 }, (_, index) => leased(`m${index}`, 1, { holder: 'b' }));
      expect(
        account.decide({ kind: 'requestLeaseReturns', holder: 'a' }, fold(account, [opened(), credit(5_000), ...many])),
      ).to.have.length.at.most(1_000);
    });
  });

  describe('caps', () => {
    it('of a day count what was spent in it and what is leased in it', () => {
      const history = [opened(), credit(1_000), capped('day', 100), leased('1', 60), settled('1', 40, 20), leased('2', 50)];
      given(account, ...history)
        .when(grant({ least: 10, needed: 10 }))
        .leaves(({ leases }) => expect(leases.get(leaseId('new'))?.amount).to.equal(10n));
      given(account, ...history)
        .when(grant({ least: 11, needed: 11 }))
        .refuses('cap_reached');
      given(account, ...history)
        .when(grant({ least: 11, needed: 11, now: NOON + 24 * HOUR }))
        .leaves(({ leases }) => expect(leases.get(leaseId('new'))?.amount).to.equal(11n));
    });

    it('of a day count a lease where it was granted, however late it is settled', () => {
      const history = [opened(), credit(1_000), capped('day', 100), leased('1', 90, { day: '2026-05-09' }), settled('1', 90, 0)];
      given(account, ...history)
        .when(grant({ least: 100, needed: 100 }))
        .leaves(({ leases }) => expect(leases.get(leaseId('new'))?.amount).to.equal(100n));
    });

    it('of a month reach across its days and no further', () => {
      const history = [opened(), credit(1_000), capped('month', 100), leased('1', 70, { day: '2026-05-01' }), settled('1', 70, 0)];
      given(account, ...history)
        .when(grant({ least: 31, needed: 31 }))
        .refuses('cap_reached');
      given(account, ...history)
        .when(grant({ least: 30, needed: 30 }))
        .leaves(({ wallet }) => expect(wallet).to.equal(900n));
      given(account, ...history)
        .when(grant({ least: 100, needed: 100, now: Date.parse('2026-06-01T00:00:00.000Z') }))
        .leaves(({ wallet }) => expect(wallet).to.equal(830n));
    });

    it('of a key hold that key only, and in total exhaust it', () => {
      const history = [opened(), credit(1_000), capped('total', 10, key), leased('1', 8)];
      given(account, ...history)
        .when(grant({ least: 3, needed: 3 }))
        .refuses('key_exhausted');
      given(account, ...history)
        .when(grant({ least: 3, needed: 3, tokenId: otherKey }))
        .leaves(({ wallet }) => expect(wallet).to.equal(989n));
    });

    it('refuse by the tightest of them, and leave no trace', () => {
      const history = [opened(), credit(50), capped('day', 40), capped('month', 30), capped('day', 20, key), capped('total', 10, key)];
      given(account, ...history)
        .when(grant({ least: 11, needed: 11 }))
        .refuses('key_exhausted');
      given(account, ...history)
        .when(grant({ least: 31, needed: 31, tokenId: otherKey }))
        .refuses('cap_reached');
      given(account, ...history)
        .when(grant({ least: 5, needed: 45 }))
        .leaves(({ leases }) => expect(leases.get(leaseId('new'))?.amount).to.equal(10n));
    });

    it('below what was spent stop the next lease and change nothing recorded', () => {
      const history = [opened(), credit(1_000), leased('1', 60), settled('1', 60, 0)];
      given(account, ...history, capped('day', 10))
        .when(grant({}))
        .refuses('cap_reached');
      expect(fold(account, [...history, capped('day', 10)]).wallet).to.equal(fold(account, history).wallet);
    });

    it('are set, changed and lifted, and set to the same again is nothing', () => {
      const set = (amount: Money | null): AccountCommand => ({ kind: 'setCap', scope: { kind: 'user' }, window: 'day', amount });
      given(account, opened())
        .when(set(money(5)))
        .then(capped('day', 5));
      given(account, opened(), capped('day', 5))
        .when(set(money(5)))
        .changesNothing();
      given(account, opened()).when(set(null)).changesNothing();
      given(account, opened(), credit(10), capped('day', 0)).when(grant({})).refuses('cap_reached');
      given(account, opened(), credit(10), capped('day', 0))
        .when(set(null))
        .leaves(({ caps }) => expect(caps.size).to.equal(0));
    });
  });

  describe('a key', () => {
    const spentOf = (...events: readonly AccountEvent[]): boolean => isKeySpent(fold(account, [opened(), credit(10_000), ...events]), key);

    it('is spent when what was settled leaves nothing worth a call', () => {
      expect(spentOf(capped('total', 1_000, key), leased('1', 1_000), settled('1', 1_000, 0))).to.equal(true);
      expect(spentOf(capped('total', 1_000, key), leased('1', 1_000), settled('1', 999, 1))).to.equal(false);
      expect(spentOf(capped('total', 1_001, key), leased('1', 1_001), settled('1', 1_000, 1))).to.equal(true);
      expect(spentOf(capped('total', 0, key))).to.equal(true);
    });

    it('is not spent by what is only set aside, by another key, or without a quota', () => {
      expect(spentOf(capped('total', 100, key), leased('1', 100))).to.equal(false);
      expect(spentOf(capped('total', 100, key), leased('1', 100, { tokenId: otherKey }), settled('1', 100, 0, otherKey))).to.equal(false);
      expect(spentOf(leased('1', 100), settled('1', 100, 0))).to.equal(false);
    });
  });

  describe('a refund', () => {
    it('gives back up to the charge, all refunds together', () => {
      given(account, opened()).when(refund(100)).then(refunded(100));
      given(account, opened(), refunded(60))
        .when(refund(40))
        .leaves(({ wallet }) => expect(wallet).to.equal(100n));
      given(account, opened(), refunded(60)).when(refund(41)).refuses('exceeds_charge');
      given(account, opened()).when(refund(101)).refuses('exceeds_charge');
    });

    for (const window of ['day', 'month', 'total'] as const)
      for (const scope of [undefined, key])
        it(`gives back what counted against ${scope === undefined ? 'the user’s' : 'the key’s'} ${window} cap`, () => {
          const spent = [opened(), credit(1_000), capped(window, 100, scope), leased('1', 100), settled('1', 100, 0)];
          given(account, ...spent)
            .when(grant({ least: 30, needed: 30 }))
            .refuses(window === 'total' && scope !== undefined ? 'key_exhausted' : 'cap_reached');
          given(account, ...spent, refunded(30))
            .when(grant({ least: 30, needed: 30 }))
            .leaves(({ leases }) => expect(leases.size).to.equal(1));
          given(account, ...spent, refunded(30))
            .when(grant({ least: 31, needed: 31 }))
            .refuses(window === 'total' && scope !== undefined ? 'key_exhausted' : 'cap_reached');
        });

    it('gives caps nothing back that an open lease still counts', () => {
      const charged = [opened(), credit(1_000), capped('day', 100), leased('1', 90), refunded(30)];
      given(account, ...charged)
        .when(grant({ least: 41, needed: 41 }))
        .refuses('cap_reached');
      given(account, ...charged, settled('1', 90, 0))
        .when(grant({ least: 40, needed: 40 }))
        .leaves(({ leases }) => expect(leases.size).to.equal(1));
      given(account, ...charged, settled('1', 90, 0))
        .when(grant({ least: 41, needed: 41 }))
        .refuses('cap_reached');
    });

    it('of an older log, which does not say where it counted, leaves caps alone', () => {
      const old: AccountEvent = {
        type: 'ChargeRefunded',
        data: { userId, leaseId: leaseId('1'), requestId: request, model: 'm', amount: money(30), reason: 'test' },
      };
      given(account, opened(), credit(1_000), capped('day', 100), leased('1', 100), settled('1', 100, 0), old)
        .when(grant({}))
        .refuses('cap_reached');
    });

    for (const amount of [0, -1])
      it(`of ${amount} is refused`, () => given(account, opened()).when(refund(amount)).refuses('invalid_request'));
  });

  it('records an overdraft without touching the wallet', () => {
    given(account, opened(), credit(10))
      .when({ kind: 'recordOverdraft', leaseId: leaseId('1'), tokenId: key, requestId: request, model: 'm', amount: money(7) })
      .then({
        type: 'QuotaOverdrawn',
        data: { userId, leaseId: leaseId('1'), tokenId: key, requestId: request, model: 'm', amount: money(7) },
      });
    given(account, opened(), credit(10))
      .when({ kind: 'recordOverdraft', leaseId: leaseId('1'), tokenId: key, requestId: request, model: 'm', amount: money(7) })
      .leaves(({ wallet }) => expect(wallet).to.equal(10n));
  });
});
