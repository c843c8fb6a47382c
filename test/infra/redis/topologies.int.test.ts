import { expect } from 'chai';
import { clusterLanes } from '../../../infra/redis/lanes.ts';
import { linkTo, type Linked } from '../../support/redis/linked.ts';
import { startRedisCluster, startSentinel } from '../../support/redis/redis-servers.ts';

const ADD = { lua: `return redis.call('INCRBY', KEYS[1], ARGV[1])` };

/** Asks until there is an answer again. The link's own probes and limits make the pace. */
const untilAnswered = async ({ link, whenReachable }: Linked, key: string): Promise<unknown> => {
  for (;;) {
    const answer = await link.run('probe', ADD, key, [1]);
    if (answer !== undefined) return answer;
    if (!link.isReachable(key)) await whenReachable(1);
  }
};

describe('Redis behind sentinels, and a cluster of it', function () {
  this.timeout(90_000);

  it('goes on with the replica when the master dies', async () => {
    const redis = await startSentinel();
    const linked = await linkTo({ url: redis.url, prefix: 'p:' }, { commandMs: 200 });
    try {
      expect(await linked.link.run('probe', ADD, 'p:n', [7])).to.equal(7);
      const dead = redis.master();
      await dead.kill();
      // What was given up waiting for may have been done all the same.
      expect(await untilAnswered(linked, 'p:n')).to.be.a('number');
      expect(redis.master().port).not.to.equal(dead.port);
    } finally {
      await linked.link.close();
      await redis.stop();
    }
  });

  it('goes on with the replica when the master freezes', async () => {
    const redis = await startSentinel();
    const linked = await linkTo({ url: redis.url, prefix: 'p:' }, { commandMs: 200 });
    try {
      expect(await linked.link.run('probe', ADD, 'p:n', [7])).to.equal(7);
      const frozen = redis.master();
      frozen.freeze();
      // What was given up waiting for may have been done all the same.
      expect(await untilAnswered(linked, 'p:n')).to.be.a('number');
      expect(redis.master().port).not.to.equal(frozen.port);
    } finally {
      await linked.link.close();
      await redis.stop();
    }
  });

  it('knows which keys a dead node of a cluster had, does without those, and follows the fail-over', async () => {
    const redis = await startRedisCluster({ replicas: 1 });
    const linked = await linkTo({ url: redis.url, prefix: 'p:' }, { commandMs: 300 });
    const { link } = linked;
    try {
      const lanes = clusterLanes();
      const keys = Array.from({ length: 200 }, (_, index) => `p:{${index}}`);
      for (const key of keys) expect(await link.run('probe', ADD, key, [1])).to.equal(1);
      const slots = redis.nodes[0]?.command('CLUSTER', 'SLOTS').split('\n') ?? [];
      const port = Number(slots[3]);
      const victim = redis.nodes.find((node) => node.port === port);
      if (victim === undefined) throw new Error(`no node on ${port}: ${slots.join(' ')}`);
      await victim.kill();
      // The first slots were its own, the last are somebody else's.
      const [lost, kept] = [0, 15].map((lane) => keys.find((key) => lanes.laneOf(key) === lane) ?? '');
      if (lost === undefined || kept === undefined) throw new Error('there are keys in every lane');
      while (link.isReachable(lost)) await link.run('probe', ADD, lost, [1]);
      expect(await link.run('probe', ADD, kept, [1])).to.equal(2);
      expect(await untilAnswered(linked, lost)).to.be.a('number');
    } finally {
      await link.close();
      await redis.stop();
    }
  });
});
