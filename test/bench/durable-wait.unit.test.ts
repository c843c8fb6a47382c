import { expect } from 'chai';
import { chargeBuckets, chargeWait } from './durable-wait.ts';

const page = (counts: readonly number[]): string =>
  ['0.001', '0.002', '0.005', '+Inf']
    .flatMap((bound, i) => [
      `oblivious_durable_seconds_bucket{le="${bound}",step="reserve"} 99`,
      `oblivious_durable_seconds_bucket{le="${bound}",step="charge"} ${counts[i] ?? 0}`,
    ])
    .join('\n');

describe('the wait for durable charges, off a metrics page', () => {
  it('is of the charges between two readings', () => {
    const before = chargeBuckets(page([1_000, 1_000, 1_000, 1_000]));
    const after = chargeBuckets(page([1_000, 1_010, 1_100, 1_100]));
    const { p50Ms, p99Ms } = chargeWait(before, after);
    expect(p50Ms).to.be.closeTo(2 + (40 / 90) * 3, 1e-9);
    expect(p99Ms).to.be.closeTo(2 + (89 / 90) * 3, 1e-9);
  });

  it('is unknown where nothing was charged', () => {
    const same = chargeBuckets(page([1, 2, 3, 4]));
    expect(chargeWait(same, same).p50Ms).to.be.NaN;
  });
});
