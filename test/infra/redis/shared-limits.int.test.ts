import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';
import type { CallerLimits } from '../../../gateways/relay/relay-limits.ts';
import { SharedLimits, type NoRoom } from '../../../gateways/relay/shared-limits.ts';
import { redisLimitPool } from '../../../infra/redis/limit-pool.ts';
import { linkTo, type Linked } from '../../support/redis/linked.ts';
import { startRedisProcess } from '../../support/redis/redis-process.ts';
import { testRedis, type TestRedis } from '../../support/redis/redis-servers.ts';

interface Gateway extends Linked {
  readonly limits: SharedLimits;
}

const SUBJECT = 'key:one';

describe('limits that gateways share', function () {
  this.timeout(60_000);
  const gateways: Gateway[] = [];

  const gateway = async (redis: TestRedis, { lapseMs, commandMs }: { lapseMs?: number; commandMs?: number } = {}): Promise<Gateway> => {
    const linked = await linkTo(redis, commandMs === undefined ? {} : { commandMs });
    const pool = redisLimitPool(linked.link, `process-${gateways.length}`, lapseMs);
    const made = { ...linked, limits: new SharedLimits(pool, { elapsed: () => performance.now() }) };
    gateways.push(made);
    return made;
  };
  const two = async (redis: TestRedis): Promise<readonly [Gateway, Gateway]> => [await gateway(redis), await gateway(redis)];
  afterEach(async () => {
    await Promise.all(gateways.splice(0).map(({ link }) => link.close()));
  });

  /** Calls in turn over all, each over at once; how many were let in. */
  const letIn = async (over: readonly Gateway[], calls: number, limits: CallerLimits): Promise<number> => {
    let count = 0;
    for (let call = 0; call < calls; call++) {
      const { limits: shared } = over[call % over.length] as Gateway;
      if ((await shared.enter(SUBJECT, limits)) !== null) continue;
      count++;
      shared.leave(SUBJECT);
    }
    return count;
  };

  it('keep a small limit to the letter', async () => {
    const both = await two(await testRedis());
    const limits = { requestsPerMinute: 12, inFlight: null };
    const began = performance.now();
    const count = await letIn(both, 60, limits);
    expect(count).to.be.within(12, 12 + Math.ceil(((performance.now() - began) * 12) / 60_000));
    const refused = (await both[0].limits.enter(SUBJECT, limits)) as NoRoom;
    expect(refused).to.include({ why: 'rate' });
    expect(refused.why === 'rate' && refused.waitMs).to.be.within(1, 5_000);
  });

  it('keep a large limit to within a hundredth for each process, mostly without asking', async () => {
    const redis = await testRedis();
    const four = [await gateway(redis), await gateway(redis), await gateway(redis), await gateway(redis)];
    const limits = { requestsPerMinute: 3_000, inFlight: 1_000 };
    const began = performance.now();
    const count = await letIn(four, 12_000, limits);
    const refilled = ((performance.now() - began) * 3_000) / 60_000;
    expect(count).to.be.within(3_000 * 0.96, 3_000 * 1.04 + refilled);
    const commands = four.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
    expect(commands).to.be.below(count / 5);
  });

  it('let a call in without waiting, the first one too, where the limit is large', async () => {
    const [one] = await two(await testRedis());
    const limits = { requestsPerMinute: 60_000, inFlight: 2_000 };
    for (let call = 0; call < 10; call++) expect(one.limits.enter(SUBJECT, limits)).to.equal(null);
  });

  it('have one answer for all who wait for it', async () => {
    const [one] = await two(await testRedis());
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => one.limits.enter(SUBJECT, { requestsPerMinute: 5, inFlight: null })),
    );
    expect(answers.filter((answer) => answer === null)).to.have.length(5);
    expect(one.outcomes.length).to.be.below(5);
  });

  it('have no more places than there are, and give one on when it is left', async () => {
    const [one, other] = await two(await testRedis());
    const limits = { requestsPerMinute: null, inFlight: 2 };
    expect(await one.limits.enter(SUBJECT, limits)).to.equal(null);
    expect(await other.limits.enter(SUBJECT, limits)).to.equal(null);
    expect(await one.limits.enter(SUBJECT, limits)).to.deep.equal({ why: 'places' });
    expect(await other.limits.enter(SUBJECT, limits)).to.deep.equal({ why: 'places' });
    one.limits.leave(SUBJECT);
    expect(await other.limits.enter(SUBJECT, limits)).to.equal(null);
    expect(await one.limits.enter(SUBJECT, limits)).to.deep.equal({ why: 'places' });
  });

  it('forget the places of a process that died', async () => {
    const redis = await testRedis();
    const dies = await gateway(redis, { lapseMs: 100 });
    const lives = await gateway(redis);
    const limits = { requestsPerMinute: null, inFlight: 1 };
    expect(await dies.limits.enter(SUBJECT, limits)).to.equal(null);
    await dies.link.close();
    let answer = await lives.limits.enter(SUBJECT, limits);
    const began = performance.now();
    while (answer !== null) {
      if (performance.now() - began > 10_000) throw new Error('the place was never free again');
      await pause(20);
      answer = await lives.limits.enter(SUBJECT, limits);
    }
  });

  it('come back from an unused share, so that nothing is lost to a process that fell silent', async () => {
    const redis = await testRedis();
    const idle = await gateway(redis);
    const busy = await gateway(redis);
    const limits = { requestsPerMinute: 300, inFlight: 100 };
    expect(await idle.limits.enter(SUBJECT, limits)).to.equal(null);
    idle.limits.leave(SUBJECT);
    await idle.limits.close();
    expect(await letIn([busy], 400, limits)).to.be.at.least(299);
  });

  it('hold per process while Redis is frozen, without a wait, and together again after', async () => {
    const server = await startRedisProcess();
    try {
      const redis = { url: server.url, prefix: 'p:' };
      const one = await gateway(redis, { commandMs: 250 });
      const limits = { requestsPerMinute: 6, inFlight: null };
      expect(await letIn([one], 20, limits)).to.equal(6);
      server.freeze();
      while (one.link.isReachable('p:limit:key:one')) await one.limits.enter('key:other', limits);
      for (let call = 0; call < 20; call++) expect(one.limits.enter(SUBJECT, limits)).to.equal(null);
      server.thaw();
      await one.whenReachable(1);
      expect(await one.limits.enter(SUBJECT, limits)).to.include({ why: 'rate' });
    } finally {
      await server.stop();
    }
  });

  it('know what runs again soon after everything in Redis was lost', async () => {
    const server = await startRedisProcess();
    try {
      const redis = { url: server.url, prefix: 'p:' };
      const [one, other] = await two(redis);
      const limits = { requestsPerMinute: 1_000, inFlight: 1 };
      expect(await one.limits.enter(SUBJECT, limits)).to.equal(null);
      server.command('FLUSHALL');
      // Whatever is asked next says what runs.
      void one.limits.enter(SUBJECT, limits);
      while (!server.command('HKEYS', 'p:limit:key:one').includes('p:process-0')) await pause(5);
      expect(await other.limits.enter(SUBJECT, limits)).to.deep.equal({ why: 'places' });
    } finally {
      await server.stop();
    }
  });
});
