import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import type { RedisLink } from '../../../infra/redis/redis-link.ts';
import { startDelayingProxy } from '../../support/delaying-proxy.ts';
import { linkTo, type Linked } from '../../support/redis/linked.ts';
import { startRedisProcess, type RedisProcess } from '../../support/redis/redis-process.ts';
import { testRedis } from '../../support/redis/redis-servers.ts';

const ECHO = { lua: `return {redis.call('INCRBY', KEYS[1], ARGV[1]), KEYS[1]}` };

describe('the link to Redis', function () {
  this.timeout(60_000);
  const links: RedisLink[] = [];
  const servers: RedisProcess[] = [];
  const linked = async (...args: Parameters<typeof linkTo>): Promise<Linked> => {
    const made = await linkTo(...args);
    links.push(made.link);
    return made;
  };
  const server = async (): Promise<RedisProcess> => {
    const started = await startRedisProcess();
    servers.push(started);
    return started;
  };
  afterEach(async () => {
    await Promise.all(links.splice(0).map((link) => link.close()));
    await Promise.all(servers.splice(0).map((each) => each.stop()));
  });

  it('sends commands and runs scripts, also those that the server has never seen', async () => {
    const { link, outcomes } = await linked(await testRedis());
    const key = `${link.prefix}n`;
    expect(await link.send('probe', key, ['GET', key])).to.equal(null);
    expect(await link.run('probe', ECHO, key, [2])).to.deep.equal([2, key]);
    expect(await link.run('probe', ECHO, key, [3])).to.deep.equal([5, key]);
    expect(outcomes).to.deep.equal(['answered', 'answered', 'answered']);
  });

  it('counts an error of the server as no answer', async () => {
    const { link, outcomes } = await linked(await testRedis());
    const key = `${link.prefix}text`;
    await link.send('probe', key, ['SET', key, 'text']);
    expect(await link.send('probe', key, ['INCR', key])).to.equal(undefined);
    expect(outcomes).to.deep.equal(['answered', 'failed']);
    expect(link.isReachable(key)).to.equal(true);
  });

  it('waits for a frozen server three times at most, then for nothing, and finds it again', async () => {
    const redis = await server();
    const { link, outcomes, whenReachable } = await linked({ url: redis.url, prefix: 'p:' }, { commandMs: 250 });
    redis.freeze();
    for (let call = 0; call < 3; call++) expect(await link.send('probe', 'p:k', ['GET', 'p:k'])).to.equal(undefined);
    expect(outcomes).to.deep.equal(['timedOut', 'timedOut', 'timedOut']);
    expect(link.isReachable('p:k')).to.equal(false);
    let answered = false;
    void link.send('probe', 'p:k', ['GET', 'p:k']).then(() => {
      answered = true;
    });
    await turn();
    expect(answered).to.equal(true);
    expect(outcomes.at(-1)).to.equal('notSent');
    redis.thaw();
    await whenReachable(1);
    expect(await link.send('probe', 'p:k', ['GET', 'p:k'])).to.equal(null);
  });

  it('takes a server that answers late for one that is gone, until it is quick again', async () => {
    const redis = await server();
    const proxy = await startDelayingProxy({ host: '127.0.0.1', port: redis.port });
    try {
      const { link, outcomes, whenReachable } = await linked({ url: `redis://127.0.0.1:${proxy.port}`, prefix: 'p:' }, { commandMs: 250 });
      proxy.delayMs = 1_000;
      while (link.isReachable('p:k')) expect(await link.send('probe', 'p:k', ['GET', 'p:k'])).to.equal(undefined);
      expect(outcomes).to.deep.equal(['timedOut', 'timedOut', 'timedOut']);
      proxy.delayMs = 0;
      await whenReachable(1);
      expect(await link.send('probe', 'p:k', ['GET', 'p:k'])).to.equal(null);
    } finally {
      await proxy.close();
    }
  });

  it('finds a server again that was killed and started anew, and scripts are known again', async () => {
    const redis = await server();
    const { link, whenReachable } = await linked({ url: redis.url, prefix: 'p:' });
    expect(await link.run('probe', ECHO, 'p:n', [1])).to.deep.equal([1, 'p:n']);
    await redis.kill();
    while (link.isReachable('p:n')) expect(await link.send('probe', 'p:n', ['GET', 'p:n'])).to.equal(undefined);
    await redis.restart();
    await whenReachable(1);
    expect(await link.run('probe', ECHO, 'p:n', [1])).to.deep.equal([1, 'p:n']);
  });

  it('opens without a server, and finds one that comes later', async () => {
    const redis = await server();
    await redis.kill();
    const { link, reachable, whenReachable } = await linked({ url: redis.url, prefix: 'p:' }, { away: true });
    expect(reachable).to.deep.equal([0]);
    expect(await link.send('probe', 'p:k', ['GET', 'p:k'])).to.equal(undefined);
    await redis.restart();
    await whenReachable(1);
    expect(await link.send('probe', 'p:k', ['GET', 'p:k'])).to.equal(null);
  });

  it('closes while the server is frozen, and while it is away', async () => {
    const redis = await server();
    const frozen = await linked({ url: redis.url, prefix: 'p:' }, { commandMs: 250 });
    redis.freeze();
    for (let call = 0; call < 3; call++) await frozen.link.send('probe', 'p:k', ['GET', 'p:k']);
    await frozen.link.close();
    redis.thaw();
    await redis.kill();
    const away = await linked({ url: redis.url, prefix: 'p:' }, { away: true });
    await away.link.close();
    expect(await away.link.send('probe', 'p:k', ['GET', 'p:k'])).to.equal(undefined);
  });
});
