import { expect } from 'chai';
import type { Allowance } from '../../../domain/limits/allowance.ts';
import type { Answered, Asking } from '../../../gateways/ports/limit-counters.ts';
import { redisLimitCounters, type RedisLimitCounters } from '../../../infra/redis/limit-counters.ts';
import { linkTo, type Linked } from '../../support/redis/linked.ts';
import { startRedisProcess } from '../../support/redis/redis-process.ts';
import { testRedis, type TestRedis } from '../../support/redis/redis-servers.ts';

const clock = { now: () => Date.now() };

describe('limits counted in Redis', function () {
  this.timeout(60_000);
  const links: Linked[] = [];

  const counters = async (redis: TestRedis): Promise<RedisLimitCounters> => {
    const linked = await linkTo(redis);
    links.push(linked);
    return redisLimitCounters(linked.link, `process-${links.length}`, clock);
  };
  afterEach(async () => {
    await Promise.all(links.splice(0).map(({ link }) => link.close()));
  });

  const allowance = (more: Partial<Allowance> = {}): Allowance => ({
    algorithm: 'slidingWindow',
    amount: 10,
    window: 'month',
    burst: 10,
    ...more,
  });
  const asking = (more: Partial<Allowance> = {}, units = 1, name = 'rule|usr_1'): Asking => ({ name, allowance: allowance(more), units });
  const admitted = (answers: readonly (Answered | undefined)[]): number =>
    answers.filter((answer) => answer !== undefined && answer.admitted).length;

  for (const algorithm of ['slidingWindow', 'tokenBucket', 'leakyBucket'] as const)
    it(`let exactly as many in as there are, however many processes ask at once (${algorithm})`, async () => {
      const redis = await testRedis();
      const both = [await counters(redis), await counters(redis)];
      const answers = await Promise.all(Array.from({ length: 200 }, async (_, i) => both[i % 2]?.take([asking({ algorithm })])));
      expect(admitted(answers)).to.equal(10);
      const refused = await both[0]?.take([asking({ algorithm })]);
      expect(refused?.looks[0]).to.include({ admitted: false, left: 0 });
      expect(refused?.looks[0]?.waitMs).to.be.above(0);
    });

  it('tell how much is left, and how long until all of it is there again', async () => {
    const one = await counters(await testRedis());
    const answer = await one.take([asking({ window: 'hour' }, 4)]);
    expect(answer?.looks[0]).to.include({ admitted: true, left: 6, waitMs: 0 });
    expect(answer?.looks[0]?.resetMs).to.be.within(3_600_000, 7_200_000);
    const more = await one.take([asking({ window: 'hour' }, 7)]);
    expect(more?.looks[0]).to.include({ admitted: false, left: 6 });
    expect((await one.take([asking({ window: 'hour' }, 11)]))?.looks[0]?.waitMs).to.equal(Infinity);
  });

  it('take all that a call asks for, or nothing of it', async () => {
    const one = await counters(await testRedis());
    const little = asking({ amount: 1 }, 1, 'little|usr_1');
    expect((await one.take([asking(), little]))?.admitted).to.equal(true);
    const refused = await one.take([asking(), little, { name: 'places|usr_1', places: 3 }]);
    expect(refused?.looks.map((look) => look.admitted)).to.deep.equal([true, false, true]);
    // Nine and three are there for the next one: what was let in of the refused call was given back.
    expect((await one.take([asking({}, 9)]))?.admitted).to.equal(true);
    expect((await one.take([{ name: 'places|usr_1', places: 3 }]))?.looks[0]?.left).to.equal(2);
  });

  it('count what was used in the place of what was reckoned', async () => {
    const redis = await testRedis();
    const [one, other] = [await counters(redis), await counters(redis)];
    await one.take([asking({}, 5)]);
    one.settle('rule|usr_1', allowance(), -3);
    expect((await one.take([asking({}, 0)]))?.looks[0]?.left).to.equal(8);
    one.settle('rule|usr_1', allowance(), 20);
    await one.take([asking({}, 0)]);
    expect((await other.take([asking()]))?.admitted).to.equal(false);
  });

  it('share places, which come back when they are left', async () => {
    const redis = await testRedis();
    const both = [await counters(redis), await counters(redis)];
    const place = { name: 'places|usr_1', places: 10 };
    const answers = await Promise.all(Array.from({ length: 60 }, async (_, i) => both[i % 2]?.take([place])));
    expect(admitted(answers)).to.be.within(9, 10);
    const [one] = both as [RedisLimitCounters];
    for (let i = 0; i < 60; i++) for (const each of both) each.leave(place.name);
    expect((await one.take([place]))?.looks[0]?.left).to.equal(9);
  });

  it('count by themselves what has to do with others by name only', async () => {
    const one = await counters(await testRedis());
    await one.take([asking({}, 10)]);
    expect((await one.take([asking({}, 10, 'rule|usr_2')]))?.admitted).to.equal(true);
    expect((await one.take([asking({ window: 'day' }, 10)]))?.admitted, 'another window is another counter').to.equal(true);
  });

  it('say nothing when Redis says nothing', async () => {
    const redis = await startRedisProcess();
    const one = await counters({ url: redis.url, prefix: 'test:' });
    expect((await one.take([asking()]))?.admitted).to.equal(true);
    await redis.stop();
    expect(await one.take([asking(), { name: 'places|usr_1', places: 1 }])).to.equal(undefined);
    one.leave('places|usr_1');
    one.settle('rule|usr_1', allowance(), 1);
    one.tick(Number.MAX_SAFE_INTEGER);
  });
});
