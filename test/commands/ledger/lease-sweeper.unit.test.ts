import { expect } from 'chai';
import { AccountBook } from '../../../commands/ledger/account-book.ts';
import { LeaseSweeper, type UnsettledLease } from '../../../commands/ledger/lease-sweeper.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import { LeaseId } from '../../../schemas/ids.ts';
import { charge, money, openLedger, settle, tokenId, userId, type LedgerRig } from './ledger-rig.ts';

const sweeperOn = (rig: LedgerRig, name = 'sweeper'): LeaseSweeper =>
  new LeaseSweeper({
    log: rig.log,
    appender: rig.appender,
    book: new AccountBook(rig.log, rig.appender),
    clock: { now: () => rig.clock.now },
    sweeper: name,
  });

/** As a projection would list them: from the grants alone, however stale. */
const granted = (rig: LedgerRig): UnsettledLease[] =>
  rig.events('SpendLeaseGranted').map(({ leaseId, expiresAt }) => ({ leaseId, userId, tokenId, expiresAt: Date.parse(expiresAt) }));

const MINUTE = 60_000;

describe('the lease sweeper', () => {
  it('releases what a dead holder left open, flags it, closes and settles', async () => {
    const rig = await openLedger({ credit: 100_000 });
    const [charged] = await Promise.all([rig.hold(100), rig.hold(100), rig.hold(100)]);
    await rig.keeper.charge(charged, charge(70));
    rig.clock.now += MINUTE;
    const report = await sweeperOn(rig).sweep(granted(rig));
    expect(report.releasedHolds).to.equal(2);
    expect(report.left).to.equal(0);
    expect(rig.events('QuotaReleased').map(({ reason, reconcile, call }) => ({ reason, reconcile, call }))).to.deep.equal(
      [1, 2].map(() => ({ reason: 'holder_lost', reconcile: true, call: undefined })),
    );
    expect(rig.events('SpendLeaseSettled').reduce((sum, { spent }) => sum + spent, 0n)).to.equal(70n);
    expect(rig.events('SpendLeaseSettled')).to.have.length(rig.events('SpendLeaseGranted').length);
  });

  it('leaves a lease alone before its time, and one whose holder asked for more', async () => {
    const rig = await openLedger({ credit: 100_000 });
    await rig.hold(100);
    expect(await sweeperOn(rig).sweep(granted(rig))).to.deep.equal({ closed: 0, settled: 0, releasedHolds: 0, left: 0 });
    for (let second = 0; second < 60; second++) {
      rig.clock.now += 1_000;
      rig.keeper.tick();
    }
    await settle();
    expect(rig.events('LeaseExtended')).to.not.have.length(0);
    expect(await sweeperOn(rig).sweep(granted(rig))).to.include({ closed: 0, left: 1 });
  });

  it('takes every holder for dead when it is told that it is alone', async () => {
    const rig = await openLedger({ credit: 100_000 });
    await rig.hold(100);
    await settle();
    expect(await sweeperOn(rig).sweep(granted(rig), { holdersAreDead: true })).to.deep.equal({
      closed: 1,
      settled: 0,
      releasedHolds: 1,
      left: 0,
    });
  });

  it('closes and settles a lease that was granted and never opened', async () => {
    const rig = await openLedger();
    rig.interfere = ({ stream }) => (stream.startsWith('lease-') ? new Promise(() => undefined) : undefined);
    void rig.reserve(10);
    await settle();
    rig.interfere = () => undefined;
    expect(await sweeperOn(rig).sweep(granted(rig), { holdersAreDead: true })).to.include({ closed: 1, releasedHolds: 0 });
    expect(rig.types('lease')).to.deep.equal(['LeaseClosed']);
    expect(rig.events('SpendLeaseSettled').map(({ spent }) => spent)).to.deep.equal([0n]);
  });

  it('settles what its holder closed and could not settle, and records what it overdrew', async () => {
    const rig = await openLedger();
    const hold = await rig.hold(100);
    await hold.durable;
    rig.interfere = ({ events }) =>
      ['SpendLeaseSettled', 'QuotaOverdrawn'].includes(events[0]!.type) ? { outcome: 'unknown', cause: new Error('gone') } : undefined;
    await rig.keeper.charge(hold, charge(130));
    await rig.keeper.stop();
    rig.interfere = () => undefined;
    rig.clock.now += MINUTE;
    const report = await sweeperOn(rig).sweep(granted(rig));
    expect(report.left).to.equal(0);
    expect(rig.events('QuotaOverdrawn').map(({ amount }) => amount)).to.deep.equal([30n]);
    expect(rig.events('SpendLeaseSettled').reduce((sum, { spent }) => sum + spent, 0n)).to.equal(100n);
  });

  it('does everything once however often it sweeps, and however many do', async () => {
    const rig = await openLedger({ credit: 100_000 });
    await Promise.all([rig.hold(100), rig.hold(100)]);
    await settle();
    rig.clock.now += MINUTE;
    const leases = granted(rig);
    await Promise.all(Array.from({ length: 5 }, (_, index) => sweeperOn(rig, `sweeper-${index}`).sweep(leases)));
    await sweeperOn(rig).sweep(leases);
    const before = rig.log.events.length;
    expect(await sweeperOn(rig).sweep(leases)).to.deep.equal({ closed: 0, settled: leases.length, releasedHolds: 0, left: 0 });
    expect(rig.log.events).to.have.length(before);
    expect(rig.events('QuotaReleased')).to.have.length(2);
    expect(rig.events('SpendLeaseSettled')).to.have.length(leases.length);
  });

  it('fences a holder that was only slow, which then says so to its calls', async () => {
    const rig = await openLedger({ credit: 100_000 });
    const hold = await rig.hold(100);
    await hold.durable;
    rig.clock.now += MINUTE;
    await sweeperOn(rig).sweep(granted(rig));
    const before = rig.log.events.length;
    const answer = await rig.keeper.charge(hold, charge(50));
    expect(isRefusal(answer) && answer.refused).to.equal('lease_lost');
    expect(rig.log.events).to.have.length(before);
  });

  it('gives way to a holder that was quicker', async () => {
    const rig = await openLedger({ credit: 100_000 });
    const hold = await rig.hold(100);
    await hold.durable;
    rig.clock.now += MINUTE;
    let isFirst = true;
    rig.interfere = (append) => {
      if (!isFirst || append.events.at(-1)?.type !== 'LeaseClosed') return undefined;
      isFirst = false;
      return rig.keeper.charge(hold, charge(50)).then(() => rig.appender.append(append));
    };
    expect(await sweeperOn(rig).sweep(granted(rig))).to.include({ closed: 0, left: 1 });
    expect(rig.events('QuotaDebited')).to.have.length(1);
    expect(await sweeperOn(rig).sweep(granted(rig))).to.include({ left: 0 });
    expect(rig.events('SpendLeaseSettled').reduce((sum, { spent }) => sum + spent, 0n)).to.equal(50n);
  });

  it('releases thousands of holds in steps that a log takes, also when it dies in between', async () => {
    const rig = await openLedger({ credit: 1_000_000 });
    await Promise.all(Array.from({ length: 1_600 }, () => rig.hold(10)));
    await settle();
    await settle();
    rig.clock.now += MINUTE;
    let steps = 0;
    rig.interfere = ({ stream }) =>
      stream.startsWith('lease-') && ++steps === 2 ? { outcome: 'unknown', cause: new Error('gone') } : undefined;
    expect((await sweeperOn(rig).sweep(granted(rig))).left).to.be.greaterThan(0);
    expect((await sweeperOn(rig).sweep(granted(rig))).left).to.equal(0);
    expect(rig.events('QuotaReleased')).to.have.length(1_600);
    expect(new Set(rig.events('QuotaReleased').map(({ requestId }) => requestId)).size).to.equal(1_600);
  }).timeout(20_000);

  it('leaves everything for later when the log is away', async () => {
    const rig = await openLedger();
    await rig.hold(10);
    await settle();
    rig.clock.now += MINUTE;
    const leases = granted(rig);
    rig.log.cut();
    expect(await sweeperOn(rig).sweep(leases)).to.deep.equal({ closed: 0, settled: 0, releasedHolds: 0, left: leases.length });
    rig.log.mend();
    expect(await sweeperOn(rig).sweep(leases)).to.include({ closed: leases.length, left: 0 });
  });

  it('sweeps the others when one lease is broken, and says which', async () => {
    const rig = await openLedger({ credit: 100_000 });
    await rig.hold(10);
    await settle();
    rig.clock.now += MINUTE;
    const broken: UnsettledLease = { leaseId: LeaseId.parse('lse_broken'), userId, tokenId, expiresAt: 0 };
    const { readStream } = rig.log;
    Object.assign(rig.log, {
      readStream: (...args: Parameters<typeof readStream>) => {
        if (args[0] === 'lease-lse_broken') throw new Error('this stream makes no sense');
        return readStream(...args);
      },
    });
    const thrown: unknown = await sweeperOn(rig)
      .sweep([broken, ...granted(rig)])
      .catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(AggregateError);
    expect((thrown as AggregateError).errors.map(String)).to.deep.equal(['Error: lease lse_broken could not be swept']);
    expect(rig.events('SpendLeaseSettled')).to.have.length(1);
    expect(money(1)).to.equal(1n);
  });
});
