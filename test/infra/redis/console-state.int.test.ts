import { expect } from 'chai';
import { SharedSignInThrottle } from '../../../gateways/console/shared-sign-in-throttle.ts';
import { SignInThrottle } from '../../../gateways/console/sign-in-throttle.ts';
import { redisEndedSessions } from '../../../infra/redis/ended-sessions.ts';
import { redisSignInFailures } from '../../../infra/redis/sign-in-failures.ts';
import { linkTo, type Linked } from '../../support/redis/linked.ts';
import { startRedisProcess } from '../../support/redis/redis-process.ts';
import { testRedis } from '../../support/redis/redis-servers.ts';

describe('what consoles share', () => {
  const links: Linked[] = [];
  const linked = async (...args: Parameters<typeof linkTo>): Promise<Linked> => {
    const made = await linkTo(...args);
    links.push(made);
    return made;
  };
  afterEach(async () => {
    await Promise.all(links.splice(0).map(({ link }) => link.close()));
  });

  it('slows down who guesses at an account through several of them', async () => {
    const redis = await testRedis();
    const clock = { now: (): number => Date.now() };
    const consoles = await Promise.all(
      [0, 1, 2].map(async () => new SharedSignInThrottle(new SignInThrottle(clock), redisSignInFailures((await linked(redis)).link))),
    );
    const attempt = async (n: number): Promise<number> =>
      (await consoles[n % 3]?.begin('ada@example.com', `10.0.0.${n}`))?.retryAfterSeconds ?? 0;
    for (let n = 0; n < 5; n++) expect(await attempt(n)).to.equal(0);
    expect(await attempt(5)).to.equal(1);
    consoles[1]?.succeeded('ada@example.com', '10.0.0.1');
    while ((await attempt(6)) !== 0);
    const [key = ''] = (await links[0]?.link.send('probe', 'x', ['KEYS', `${redis.prefix}signin:*`])) as string[];
    expect(key).to.match(/signin:[0-9a-f]{64}$/);
  });

  it('goes on by each one’s own count without Redis', async () => {
    const server = await startRedisProcess();
    try {
      const { link } = await linked({ url: server.url, prefix: 'p:' }, { commandMs: 250 });
      const throttle = new SharedSignInThrottle(new SignInThrottle({ now: () => 1_000_000 }), redisSignInFailures(link));
      server.freeze();
      for (let n = 0; n < 5; n++) expect(await throttle.begin('ada', `10.0.0.${n}`)).to.equal(null);
      expect(await throttle.begin('ada', '10.0.0.9')).to.include({ refused: 'rate_limited', retryAfterSeconds: 1 });
    } finally {
      await server.stop();
    }
  });

  it('knows of a session that was signed out in another, also one that starts later', async () => {
    const redis = await testRedis();
    const [one, other] = [redisEndedSessions((await linked(redis)).link), redisEndedSessions((await linked(redis)).link)];
    await other.hear();
    one.end('s1');
    expect(one.has('s1')).to.equal(true);
    await one.hear();
    await other.hear();
    expect(other.has('s1')).to.equal(true);
    expect(other.has('s2')).to.equal(false);
    const late = redisEndedSessions((await linked(redis)).link);
    await late.hear();
    expect(late.has('s1')).to.equal(true);
  });

  it('tells of a sign-out later when Redis is away', async () => {
    const server = await startRedisProcess();
    try {
      const redis = { url: server.url, prefix: 'p:' };
      const here = await linked(redis);
      const [one, other] = [redisEndedSessions(here.link), redisEndedSessions((await linked(redis)).link)];
      await server.kill();
      while (here.link.isReachable('p:ended')) await one.hear();
      one.end('s1');
      await server.restart();
      for (const { whenReachable, link } of links) {
        while (link.isReachable('p:ended') && (await link.send('probe', 'p:ended', ['TYPE', 'p:ended'])) === undefined);
        if (!link.isReachable('p:ended')) await whenReachable(1);
      }
      await one.hear();
      await other.hear();
      expect(other.has('s1')).to.equal(true);
    } finally {
      await server.stop();
    }
  });
});
