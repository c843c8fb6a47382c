import { expect } from 'chai';
import { fold } from '../../../domain/kernel/decider.ts';
import { freeOf, lease } from '../../../domain/ledger/lease.ts';
import { leaseEvent } from '../../ledger/lease-event-samples.ts';

describe('the fold of a lease', () => {
  const opened = leaseEvent.opened(100n);

  it('holds what is reserved, and frees what is released', () => {
    const held = fold(lease, [opened, leaseEvent.reserved('a', 30n), leaseEvent.reserved('b', 20n)]);
    expect(freeOf(held)).to.equal(50n);
    expect([...held.holds.keys()]).to.deep.equal(['req_a', 'req_b']);
    const released = fold(lease, [opened, leaseEvent.reserved('a', 30n), leaseEvent.reserved('b', 20n), leaseEvent.released('a')]);
    expect(freeOf(released)).to.equal(80n);
    expect(released.spent).to.equal(0n);
  });

  it('spends what is charged, and frees the rest of the hold', () => {
    const spent = fold(lease, [opened, leaseEvent.reserved('a', 30n), leaseEvent.debited('a', 12n)]);
    expect(spent).to.deep.include({ spent: 12n, held: 0n, overdrafts: [] });
    expect(freeOf(spent)).to.equal(88n);
  });

  it('remembers what an upstream billed beyond the hold', () => {
    const { overdrafts, spent } = fold(lease, [opened, leaseEvent.reserved('a', 30n), leaseEvent.debited('a', 30n, 41n)]);
    expect(spent).to.equal(30n);
    expect(overdrafts).to.deep.equal([{ requestId: 'req_a', model: 'm', amount: 11n }]);
  });

  it('knows its last extension and that it is closed', () => {
    const state = fold(lease, [
      opened,
      leaseEvent.extended('2026-01-01T00:00:00.000Z'),
      leaseEvent.extended('2026-01-01T00:01:00.000Z'),
      leaseEvent.closed(0n),
    ]);
    expect(state).to.include({ extendedUntil: '2026-01-01T00:01:00.000Z', closed: true });
  });
});
