import { expect } from 'chai';
import { setLimits } from '../../../commands/limits/set-limits.ts';
import { followLimits, type FollowedLimits } from '../../../infra/server/follow-limits.ts';
import { LimitPolicy } from '../../../schemas/limits.ts';
import { commandBench } from '../../support/command-bench.ts';

const policy = (amount: number): LimitPolicy =>
  LimitPolicy.parse({
    rules: [{ id: 'one', name: 'One', per: [], measure: 'requests', amount, window: 'minute' }],
    whenStoreAway: 'refuse',
  });

describe('following the limits', () => {
  let stop: AbortController;
  beforeEach(() => (stop = new AbortController()));

  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  };
  const end = async (followed: FollowedLimits): Promise<void> => {
    stop.abort();
    await followed.ended;
  };

  it('knows them from the start, and every change of them', async () => {
    const bench = commandBench();
    await setLimits(bench, policy(1), bench.context());
    await setLimits(bench, policy(2), bench.context());
    const followed = followLimits(bench.log, stop.signal, (error) => expect.fail(String(error)));
    await followed.known;
    expect(followed.current).to.deep.equal(policy(2));
    await setLimits(bench, policy(3), bench.context());
    await until(() => followed.current.rules[0]?.amount === 3);
    await end(followed);
  });

  it('begins with none', async () => {
    const bench = commandBench();
    const followed = followLimits(bench.log, stop.signal, () => undefined);
    await followed.known;
    expect(followed.current.rules).to.deep.equal([]);
    await end(followed);
  });
});
