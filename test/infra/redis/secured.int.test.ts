import { expect } from 'chai';
import { makeCertificate, type TestCertificate } from '../../support/certificate.ts';
import { linkTo } from '../../support/redis/linked.ts';
import { startRedisProcess } from '../../support/redis/redis-process.ts';
import { startRedisCluster, startSentinel } from '../../support/redis/redis-servers.ts';

const ADD = { lua: `return redis.call('INCRBY', KEYS[1], ARGV[1])` };

describe('Redis that speaks nothing but TLS', function () {
  this.timeout(60_000);
  let tls: TestCertificate;
  before(() => {
    tls = makeCertificate();
  });
  after(() => tls.remove());

  const answers = async (url: string): Promise<void> => {
    const { link } = await linkTo({ url, prefix: 'p:' }, { authorities: tls.certificate });
    try {
      expect(await link.run('probe', ADD, 'p:n', [7])).to.equal(7);
    } finally {
      await link.close();
    }
  };

  it('answers whoever trusts its certificate and has the password, and is away for everybody else', async () => {
    const redis = await startRedisProcess({ tls, settings: ['user relay on >let:me@in ~* &* +@all'] });
    const stranger = makeCertificate();
    try {
      const url = redis.url.replace('//', `//relay:${encodeURIComponent('let:me@in')}@`);
      await answers(url);
      for (const [access, authorities] of [
        [url, stranger.certificate],
        [redis.url.replace('//', '//relay:guessed@'), tls.certificate],
        [url.replace('rediss', 'redis'), tls.certificate],
      ] as const) {
        const { link, reachable } = await linkTo({ url: access, prefix: 'p:' }, { authorities, away: true });
        expect(await link.run('probe', ADD, 'p:n', [1])).to.equal(undefined);
        expect(reachable).to.deep.equal([0]);
        await link.close();
      }
    } finally {
      stranger.remove();
      await redis.stop();
    }
  });

  it('answers behind sentinels that speak it too', async () => {
    const redis = await startSentinel({ tls });
    await answers(redis.url).finally(() => redis.stop());
  });

  it('answers as a cluster, whose nodes are found from one another', async () => {
    const redis = await startRedisCluster({ tls });
    await answers(redis.url).finally(() => redis.stop());
  });
});
