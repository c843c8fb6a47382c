import { expect } from 'chai';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import { TokenId } from '../../../schemas/ids.ts';
import type { Hold } from '../../../commands/ledger/hold.ts';
import { LARGEST_AMOUNT } from '../../../schemas/money.ts';
import type { AppendOutcome } from '../../../commands/ports/event-log.ts';
import { newEvents } from '../../../commands/run-command.ts';
import { leaseEvent } from '../../ledger/lease-event-samples.ts';
import { charge, context, money, openLedger, release, settle, tokenId, userId } from './ledger-rig.ts';

const otherKey = TokenId.parse('key_2');
const unknown: AppendOutcome = { outcome: 'unknown', cause: new Error('gone') };
const busy: AppendOutcome = { outcome: 'rejected', reason: 'log_busy', message: 'busy' };

const refusalIn = (answer: unknown): string => (isRefusal(answer) ? answer.refused : 'none');
const isHold = (answer: Hold | Refusal | Promise<Hold | Refusal>): answer is Hold => !(answer instanceof Promise) && !isRefusal(answer);

describe('the lease keeper', () => {
  describe('reserving', () => {
    it('asks the account first, and then holds at once what a lease in hand covers', async () => {
      const rig = await openLedger({ credit: 100_000 });
      const first = await rig.hold(100);
      expect(await first.durable).to.equal(null);
      const answer = rig.keeper.reserve({
        requestId: 'req_sync' as never,
        userId,
        tokenId,
        model: 'm',
        priceListId: 'prl_1' as never,
        amount: money(100),
        least: money(100),
      });
      expect(isHold(answer)).to.equal(true);
      expect(rig.types('account')).to.deep.equal(['AccountOpened', 'CreditGranted', 'SpendLeaseGranted']);
      expect(rig.keeper.stats()).to.deep.equal({ leases: 1, holds: 2, waiting: 0 });
    });

    it('puts the opening of a lease and its first holds into one append', async () => {
      const rig = await openLedger();
      const sizes: number[] = [];
      rig.interfere = ({ stream, events }) => void (stream.startsWith('lease-') && sizes.push(events.length));
      const holds = await Promise.all([rig.hold(10), rig.hold(10), rig.hold(10)]);
      await Promise.all(holds.map(({ durable }) => durable));
      expect(sizes[0]).to.be.greaterThan(1);
      expect(rig.types('lease').slice(0, 2)).to.deep.equal(['LeaseOpened', 'QuotaReserved']);
    });

    it('holds less than the worst case when less is left, but never less than the least', async () => {
      const rig = await openLedger({ credit: 70 });
      expect((await rig.hold(100, { least: 50 })).amount).to.equal(70n);
      expect(refusalIn(await rig.reserve(100, { least: 50 }))).to.equal('insufficient_quota');
      expect(rig.events('QuotaReserved')).to.have.length(1);
    });

    it('begins no call while the log does not take what is recorded of it, whatever is in hand', async () => {
      let stuck = false;
      const rig = await openLedger({ credit: 100_000, isLogStuck: () => stuck });
      await rig.hold(10);
      stuck = true;
      expect(refusalIn(await rig.reserve(10))).to.equal('log_unavailable');
      expect(rig.keeper.stats().holds).to.equal(1);
      stuck = false;
      await rig.hold(10);
    });

    it('never holds nothing for a call that costs something', async () => {
      const rig = await openLedger({ credit: 10 });
      await rig.hold(10);
      expect(refusalIn(await rig.reserve(5, { least: 0 }))).to.equal('insufficient_quota');
    });

    it('serves from what running calls gave back rather than believe that there is nothing', async () => {
      const rig = await openLedger({ credit: 100 });
      const running = await rig.hold(100);
      expect(refusalIn(await rig.reserve(60, { least: 30 }))).to.equal('insufficient_quota');
      await rig.keeper.release(running, release);
      expect((await rig.hold(200, { least: 30 })).amount).to.equal(100n);
    });

    it('believes an exhausted account until it hears of it again, and for a second at most', async () => {
      const rig = await openLedger({ credit: 10 });
      await rig.hold(10);
      let reads = 0;
      const read = rig.log.readStream;
      Object.assign(rig.log, { readStream: (...args: Parameters<typeof read>) => (reads++, read(...args)) });
      const again = async (): Promise<number> => {
        const before = reads;
        expect(refusalIn(await rig.reserve(10))).to.equal('insufficient_quota');
        return reads - before;
      };
      expect(await again()).to.be.greaterThan(0);
      expect(await again()).to.equal(0);
      rig.clock.now += 1_000;
      expect(await again()).to.be.greaterThan(0);
      // A clock that jumps back does not make the word hold for longer.
      rig.clock.now -= 86_400_000;
      expect(await again()).to.be.greaterThan(0);

      await rig.command({ kind: 'grantCredit', amount: money(10), source: 'card', reason: 'more' });
      rig.news();
      expect((await rig.hold(10)).amount).to.equal(10n);
    });

    it('refuses only those whom the account’s word is about', async () => {
      const rig = await openLedger({ credit: 50 });
      let arrived: Promise<Hold | Refusal> | undefined;
      const read = rig.log.readStream;
      // Somebody who needs less comes while the account is being asked for more than it has.
      Object.assign(rig.log, { readStream: (...args: Parameters<typeof read>) => ((arrived ??= rig.reserve(20)), read(...args)) });
      expect(refusalIn(await rig.reserve(60))).to.equal('insufficient_quota');
      const answer = await arrived;
      expect(isRefusal(answer)).to.equal(false);
    });

    it('refuses nobody because there was nothing to put in hand ahead of need', async () => {
      const rig = await openLedger({ credit: 300 });
      let arrived: Promise<Hold | Refusal> | undefined;
      let reads = 0;
      const read = rig.log.readStream;
      // The second look at the log is for what would be put in hand: somebody comes while that is being asked for.
      const readAndCome = (...args: Parameters<typeof read>): ReturnType<typeof read> => {
        if (++reads === 2) arrived = rig.reserve(40);
        return read(...args);
      };
      Object.assign(rig.log, { readStream: readAndCome });
      const first = await rig.hold(250);
      await settle();
      if (arrived === undefined) throw new Error('nobody came');
      expect(isRefusal(await arrived)).to.equal(false);
      await rig.keeper.release(first, release);
    });

    it('brings more ahead of need when leases are used up fast, and gives it back when nobody comes', async () => {
      const rig = await openLedger({ credit: 10_000_000 });
      for (let index = 0; index < 200; index++) {
        await rig.hold(100);
        await settle();
      }
      const amounts = rig.events('SpendLeaseGranted').map(({ amount }) => amount);
      expect(amounts.length).to.be.within(3, 12);
      expect(amounts.at(-1)! > amounts[0]!).to.equal(true);
    });

    it('does not ask for each call whether there is something to put in hand', async () => {
      const rig = await openLedger({ credit: 300 });
      let asked = 0;
      rig.interfere = () => undefined;
      const read = rig.log.readStream;
      const first = await rig.hold(250, { least: 10 });
      await settle();
      Object.assign(rig.log, { readStream: (...args: Parameters<typeof read>) => (asked++, read(...args)) });
      for (let index = 0; index < 10; index++) await rig.keeper.release(await rig.hold(1), release);
      expect(asked).to.be.at.most(2);
      await rig.keeper.release(first, release);
    });
  });

  describe('charging', () => {
    it('takes what the call came to and frees the rest of the hold', async () => {
      const rig = await openLedger();
      const hold = await rig.hold(100);
      expect(await rig.keeper.charge(hold, charge(40))).to.deep.equal({ amount: 40n });
      expect(rig.events('QuotaDebited')[0]).to.include({ amount: 40n, computed: 40n, basis: 'reported' });
      await rig.keeper.stop();
      expect(rig.events('SpendLeaseSettled').reduce((sum, { spent }) => sum + spent, 0n)).to.equal(40n);
      expect(rig.events('QuotaOverdrawn')).to.have.length(0);
    });

    it('never takes more than the hold: the rest is an entry of its own', async () => {
      const rig = await openLedger({ credit: 100 });
      expect(await rig.keeper.charge(await rig.hold(100), charge(130))).to.deep.equal({ amount: 100n });
      expect(rig.events('QuotaDebited')[0]).to.include({ amount: 100n, computed: 130n });
      expect(rig.events('QuotaOverdrawn').map(({ amount }) => amount)).to.deep.equal([30n]);
    });

    it('asks the account once for each overdraft, however many there are at a time', async () => {
      const rig = await openLedger();
      const holds = await Promise.all([1, 2, 3, 4].map(() => rig.hold(100)));
      await Promise.all(holds.map(({ durable }) => durable));
      const asked: number[] = [];
      rig.interfere = ({ events }) => void (events[0]?.type === 'QuotaOverdrawn' && asked.push(events.length));
      await Promise.all(holds.map((hold, i) => rig.keeper.charge(hold, charge(130 + i))));
      expect(asked).to.deep.equal([1, 1, 1, 1]);
      expect(rig.events('QuotaOverdrawn').map(({ amount }) => amount)).to.have.members([30n, 31n, 32n, 33n]);
    });

    it('owes an overdraft that could not be recorded, and records it before the lease is settled', async () => {
      const rig = await openLedger();
      const hold = await rig.hold(100);
      await hold.durable;
      rig.interfere = ({ events }) => (events[0]?.type === 'QuotaOverdrawn' ? unknown : undefined);
      // The debit is durable, so the caller is told so.
      expect(await rig.keeper.charge(hold, charge(130))).to.deep.equal({ amount: 100n });
      expect(rig.events('QuotaOverdrawn')).to.have.length(0);
      rig.interfere = () => undefined;
      await rig.keeper.stop();
      expect(rig.events('QuotaOverdrawn').map(({ amount }) => amount)).to.deep.equal([30n]);
      expect(rig.types('account').slice(-2)).to.deep.equal(['QuotaOverdrawn', 'SpendLeaseSettled']);
    });

    it('leaves a lease to the sweeper rather than settle it with an overdraft owed', async () => {
      const rig = await openLedger();
      const hold = await rig.hold(100);
      await hold.durable;
      rig.interfere = ({ events }) => (events[0]?.type === 'QuotaOverdrawn' ? unknown : undefined);
      await rig.keeper.charge(hold, charge(130));
      await rig.keeper.stop();
      expect(rig.types('account')).to.not.include('SpendLeaseSettled');
    });

    for (const computed of [-1n, LARGEST_AMOUNT + 1n, 10n ** 40n]) {
      it(`takes the hold and flags it when the cost is ${computed}`, async () => {
        const rig = await openLedger();
        expect(await rig.keeper.charge(await rig.hold(100), charge(computed, { upstreamCost: money(computed) }))).to.deep.equal({
          amount: 100n,
        });
        expect(rig.events('QuotaDebited')[0]).to.include({ amount: 100n, computed: 100n, upstreamCost: 100n, basis: 'held' });
      });
    }

    it('or releasing a hold that has ended is a bug', async () => {
      const rig = await openLedger();
      const hold = await rig.hold(100);
      await rig.keeper.charge(hold, charge(40));
      const failures = await Promise.allSettled([rig.keeper.charge(hold, charge(1)), rig.keeper.release(hold, release)]);
      expect(failures.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
      expect(rig.events('QuotaDebited')).to.have.length(1);
      expect(rig.events('QuotaReleased')).to.have.length(0);
    });

    it('of a hold that never became durable is refused, and nothing is recorded', async () => {
      const rig = await openLedger();
      await rig.hold(10);
      await settle();
      rig.interfere = ({ events }) => (events.some(({ type }) => type === 'QuotaReserved') ? busy : undefined);
      const hold = await rig.hold(10);
      expect(refusalIn(await hold.durable)).to.equal('log_busy');
      expect(refusalIn(await rig.keeper.charge(hold, charge(5)))).to.equal('log_busy');
      expect(refusalIn(await rig.keeper.release(hold, release))).to.equal('log_busy');
      rig.interfere = () => undefined;
      expect(rig.events('QuotaReserved')).to.have.length(1);
      // The money is free again.
      expect(rig.keeper.stats().holds).to.equal(1);
    });

    it('follows a reservation that is still on its way, in the same append', async () => {
      const rig = await openLedger();
      const appends: string[][] = [];
      rig.interfere = ({ stream, events }) => {
        if (stream.startsWith('lease-')) appends.push(events.map(({ type }) => type));
        return undefined;
      };
      const hold = await rig.hold(10);
      expect(await rig.keeper.charge(hold, charge(5))).to.deep.equal({ amount: 5n });
      expect(await hold.durable).to.equal(null);
      expect(appends.flat()).to.deep.equal(['LeaseOpened', 'QuotaReserved', 'QuotaDebited']);
      expect(appends.at(-1)).to.include('QuotaDebited');
      expect(appends.length).to.be.lessThan(3);
    });

    it('takes its reservation along when the log was at its limit for both', async () => {
      const rig = await openLedger();
      await (
        await rig.hold(1)
      ).durable;
      let answer: () => void = () => undefined;
      const asked = new Promise<void>((resolve) => (answer = resolve));
      let refusals = 2;
      rig.interfere = ({ stream }) => (stream.startsWith('lease-') && refusals-- > 0 ? asked.then(() => busy) : undefined);
      const [charged, left] = [await rig.hold(10), await rig.hold(20)];
      const charging = rig.keeper.charge(charged, charge(5));
      answer();
      expect(await charging).to.deep.equal({ amount: 5n });
      expect(await charged.durable).to.equal(null);
      // Nobody had charged this one yet, so it was turned away.
      expect(refusalIn(await left.durable)).to.equal('log_busy');
      expect(rig.events('QuotaReserved').map(({ requestId }) => requestId))
        .to.include(charged.requestId)
        .and.not.include(left.requestId);
      expect(rig.events('QuotaDebited')).to.have.length(1);
      expect(rig.keeper.stats().holds).to.equal(1);
    });

    it('is refused with a reservation that the log does not answer for, or that a sweeper was before', async () => {
      for (const [outcome, word] of [
        [{ outcome: 'unknown', cause: new Error('cut') }, 'log_unavailable'],
        [{ outcome: 'conflict', actual: 7 }, 'lease_lost'],
      ] as const) {
        const rig = await openLedger();
        await (
          await rig.hold(1)
        ).durable;
        rig.interfere = ({ stream }) => (stream.startsWith('lease-') ? outcome : undefined);
        const hold = await rig.hold(10);
        const charging = rig.keeper.charge(hold, charge(5));
        expect([refusalIn(await hold.durable), refusalIn(await charging)]).to.deep.equal([word, word]);
        expect(rig.keeper.stats().holds).to.equal(1);
      }
    });

    it('is sent again when the log was at its limit', async () => {
      const rig = await openLedger();
      const hold = await rig.hold(10);
      await hold.durable;
      let refusals = 2;
      rig.interfere = ({ events }) => (events.some(({ type }) => type === 'QuotaDebited') && refusals-- > 0 ? busy : undefined);
      expect(await rig.keeper.charge(hold, charge(5))).to.deep.equal({ amount: 5n });
      expect(rig.events('QuotaDebited')).to.have.length(1);
    });
  });

  describe('writing to a lease', () => {
    it('goes in smaller appends when the log finds one too large', async () => {
      const rig = await openLedger({ credit: 100_000 });
      await (
        await rig.hold(1)
      ).durable;
      const sizes: number[] = [];
      rig.interfere = ({ stream, events }) => {
        if (!stream.startsWith('lease-')) return undefined;
        sizes.push(events.length);
        return events.length > 3 ? { outcome: 'rejected', reason: 'append_too_large', message: 'too large' } : undefined;
      };
      const holds = await Promise.all(Array.from({ length: 20 }, () => rig.hold(1)));
      expect(await Promise.all(holds.map(({ durable }) => durable))).to.deep.equal(holds.map(() => null));
      expect(Math.max(...sizes)).to.be.greaterThan(3);
    });

    it('stops at the first append that somebody else came before, and tells every call', async () => {
      const rig = await openLedger({ credit: 100_000 });
      const [held, unended] = await Promise.all([rig.hold(10), rig.hold(10)]);
      await Promise.all([held.durable, unended.durable]);
      const stream = rig.log.events.find(({ type }) => type === 'LeaseOpened')!.stream;
      await rig.log.append([{ stream, expectedRevision: 'any', events: newEvents([leaseEvent.closed(0n)], context()) }]);
      const before = rig.log.events.length;
      expect(refusalIn(await rig.keeper.charge(held, charge(5)))).to.equal('lease_lost');
      expect(rig.log.events).to.have.length(before);
      // The next call takes another lease, also while calls still run on the lost one.
      const next = await rig.hold(10);
      expect(next.leaseId).to.not.equal(held.leaseId);
      expect(await next.durable).to.equal(null);
      expect(refusalIn(await rig.keeper.release(unended, release))).to.equal('lease_lost');
    });

    it('that got no answer ends the use of the lease', async () => {
      const rig = await openLedger({ credit: 100_000 });
      const hold = await rig.hold(10);
      await hold.durable;
      rig.interfere = ({ stream }) => (stream.startsWith('lease-') ? unknown : undefined);
      expect(refusalIn(await rig.keeper.charge(hold, charge(5)))).to.equal('log_unavailable');
      rig.interfere = () => undefined;
      expect((await rig.hold(10)).leaseId).to.not.equal(hold.leaseId);
    });
  });

  describe('once a second', () => {
    it('gives back a lease that nothing uses, and keeps one that is used', async () => {
      const rig = await openLedger({ credit: 100_000 });
      const hold = await rig.hold(10);
      rig.clock.now += 6_000;
      rig.keeper.tick();
      await settle();
      expect(rig.types('account')).to.not.include('SpendLeaseSettled');
      await rig.keeper.release(hold, release);
      rig.clock.now += 4_999;
      rig.keeper.tick();
      await settle();
      expect(rig.types('account')).to.not.include('SpendLeaseSettled');
      rig.clock.now += 1;
      rig.keeper.tick();
      await settle();
      expect(rig.events('LeaseClosed').map(({ reason }) => reason)).to.deep.equal(['idle']);
      expect(rig.events('SpendLeaseSettled')).to.have.length(1);
      rig.keeper.tick();
      expect(rig.keeper.stats()).to.deep.equal({ leases: 0, holds: 0, waiting: 0 });
    });

    it('asks for more time while calls still run on a lease that has ended, and then gives it back', async () => {
      const rig = await openLedger({ credit: 100_000 });
      const hold = await rig.hold(10);
      const { leaseId } = hold;
      for (let second = 0; second < 100; second++) {
        rig.clock.now += 1_000;
        rig.keeper.tick();
        await settle();
      }
      const extensions = rig.events('LeaseExtended');
      expect(extensions.length).to.be.within(1, 5);
      expect(Date.parse(extensions.at(-1)!.expiresAt)).to.be.greaterThan(rig.clock.now);
      expect(await rig.keeper.charge(hold, charge(10))).to.deep.equal({ amount: 10n });
      await settle();
      expect(rig.events('SpendLeaseSettled').map((settled) => settled.leaseId)).to.include(leaseId);
    });

    it('admits nothing on a lease that has ended', async () => {
      const rig = await openLedger({ credit: 100_000 });
      const old = await rig.hold(10);
      rig.clock.now += 30_000;
      const young = await rig.hold(10);
      expect(young.leaseId).to.not.equal(old.leaseId);
    });
  });

  describe('sharing an account', () => {
    it('takes back its own idle leases of other keys at once', async () => {
      const rig = await openLedger({ credit: 100 });
      await rig.keeper.release(await rig.hold(100), release);
      expect((await rig.hold(100, { tokenId: otherKey })).amount).to.equal(100n);
      expect(rig.events('LeaseClosed').map(({ reason }) => reason)).to.deep.equal(['recalled']);
    });

    it('asks other processes for their idle leases', async () => {
      const rig = await openLedger({ credit: 100, policy: { returnWaitMs: 2_000 } });
      await rig.keeper.release(await rig.hold(100), release);
      const other = rig.another('gateway-2');
      const asked = rig.hold(100, { keeper: other });
      // What the news of a running server would do.
      while (rig.events('SpendLeaseSettled').length === 0) {
        await settle();
        rig.news();
      }
      await settle();
      rig.news();
      expect((await asked).amount).to.equal(100n);
      expect(rig.events('LeaseReturnRequested')).to.have.length(1);
    });

    it('refuses when nothing comes back in time, without asking twice', async () => {
      const rig = await openLedger({ credit: 100 });
      await rig.hold(100);
      const other = rig.another('gateway-2');
      expect(refusalIn(await rig.reserve(100, { keeper: other }))).to.equal('insufficient_quota');
      rig.clock.now += 5_000;
      expect(refusalIn(await rig.reserve(100, { keeper: other }))).to.equal('insufficient_quota');
      expect(rig.events('LeaseReturnRequested')).to.have.length(1);
    });

    it('does not ask itself for a lease that it is using', async () => {
      const rig = await openLedger({ credit: 100 });
      await rig.hold(100);
      expect(refusalIn(await rig.reserve(100, { tokenId: otherKey }))).to.equal('insufficient_quota');
      expect(rig.events('LeaseReturnRequested')).to.have.length(0);
    });
  });

  describe('a key with a quota', () => {
    const cap = (amount: number) => ({ kind: 'setCap', scope: { kind: 'key', tokenId }, window: 'total', amount: money(amount) }) as const;

    it('is reported when its quota is spent for good', async () => {
      const exhausted: TokenId[] = [];
      const rig = await openLedger({ onKeyExhausted: (token) => void exhausted.push(token) });
      await rig.command(cap(100));
      const hold = await rig.hold(100);
      expect(refusalIn(await rig.reserve(100))).to.equal('key_exhausted');
      await settle();
      expect(exhausted, 'it is only set aside').to.deep.equal([]);
      await rig.keeper.charge(hold, charge(100));
      rig.clock.now += 6_000;
      rig.keeper.tick();
      await settle();
      rig.news();
      expect(refusalIn(await rig.reserve(1))).to.equal('key_exhausted');
      await settle();
      expect(exhausted).to.deep.equal([tokenId]);
    });

    it('is not reported when one dear call asks for more than is left', async () => {
      const exhausted: TokenId[] = [];
      const rig = await openLedger({ onKeyExhausted: (token) => void exhausted.push(token) });
      await rig.command(cap(100));
      expect(refusalIn(await rig.reserve(101))).to.equal('key_exhausted');
      await settle();
      expect(exhausted).to.deep.equal([]);
      expect((await rig.hold(50)).amount).to.equal(50n);
    });
  });

  describe('stopping', () => {
    it('admits nothing more, waits for running calls and gives everything back', async () => {
      const rig = await openLedger();
      const hold = await rig.hold(100);
      let isDone = false;
      const stopped = rig.keeper.stop().then(() => (isDone = true));
      expect(refusalIn(await rig.reserve(1))).to.equal('shutting_down');
      await settle();
      expect(isDone).to.equal(false);
      await rig.keeper.charge(hold, charge(60));
      await stopped;
      expect(rig.events('SpendLeaseSettled').map(({ spent }) => spent)).to.include(60n);
      expect(rig.keeper.stats()).to.deep.equal({ leases: 0, holds: 0, waiting: 0 });
    });

    it('at rest is immediate', async () => {
      await (await openLedger()).keeper.stop();
    });

    it('waits for a lease that is being granted, and gives it back too', async () => {
      const rig = await openLedger();
      const answer = rig.reserve(10);
      await rig.keeper.stop();
      expect(refusalIn(await answer)).to.equal('shutting_down');
      expect(rig.events('SpendLeaseSettled')).to.have.length(rig.events('SpendLeaseGranted').length);
    });

    it('does not wait for a lease that was lost', async () => {
      const rig = await openLedger();
      const hold = await rig.hold(10);
      await hold.durable;
      rig.interfere = ({ stream }) => (stream.startsWith('lease-') ? unknown : undefined);
      const ended = rig.keeper.release(hold, release);
      await settle();
      await rig.keeper.stop();
      expect(refusalIn(await ended)).to.equal('log_unavailable');
    });

    it('does not wait for a lease that was lost before anybody used it', async () => {
      const rig = await openLedger({ credit: 100_000 });
      const holds = [await rig.hold(10)];
      await holds[0]?.durable;
      rig.interfere = ({ events }) => (events.some(({ type }) => type === 'LeaseOpened') ? unknown : undefined);
      for (let index = 0; index < 12; index++) holds.push(await rig.hold(10));
      await settle();
      expect(rig.events('SpendLeaseGranted')).to.have.length(2);
      expect(rig.events('LeaseOpened')).to.have.length(1);
      for (const hold of holds) await rig.keeper.release(hold, release);
      await rig.keeper.stop();
      expect(rig.keeper.stats().leases).to.equal(0);
    });

    it('with the log away ends all the same', async () => {
      const rig = await openLedger();
      await rig.keeper.release(await rig.hold(10), release);
      rig.log.cut();
      await rig.keeper.stop();
      expect(rig.keeper.stats().leases).to.equal(0);
    });
  });

  it('passes its failpoints in the order in which things become durable', async () => {
    const passed: string[] = [];
    const rig = await openLedger({ failpoints: { hit: (name) => void passed.push(name) } });
    const hold = await rig.hold(10);
    await hold.durable;
    await rig.keeper.charge(hold, charge(10));
    await rig.keeper.stop();
    expect(passed).to.deep.equal([
      'lease.granted',
      'reservation.enqueued',
      'reservation.durable',
      'debit.enqueued',
      'debit.durable',
      'lease.closed',
      'lease.settled',
    ]);
  });

  it('with the log away refuses, serves nothing, and goes on when it is back', async () => {
    const rig = await openLedger({ credit: 100_000 });
    const before = await rig.hold(10);
    await before.durable;
    rig.log.cut();
    const during = await rig.hold(10);
    expect(refusalIn(await during.durable)).to.equal('log_unavailable');
    expect(refusalIn(await rig.keeper.charge(before, charge(1)))).to.equal('log_unavailable');
    expect(refusalIn(await rig.reserve(10))).to.equal('log_unavailable');
    rig.log.mend();
    const after = await rig.hold(10);
    expect(await after.durable).to.equal(null);
    expect(after.leaseId).to.not.equal(before.leaseId);
  });
});
