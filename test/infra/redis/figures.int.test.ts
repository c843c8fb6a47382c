import { expect } from 'chai';
import { countTraffic, redisChannelTraffics } from '../../../infra/redis/channel-traffic.ts';
import { sharedStandings } from '../../../infra/redis/shared-standings.ts';
import type { KeyStanding } from '../../../gateways/ports/key-standing.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChannelId, TokenId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { linkTo, type Linked } from '../../support/redis/linked.ts';
import { startRedisProcess } from '../../support/redis/redis-process.ts';
import { testRedis } from '../../support/redis/redis-servers.ts';

const CHANNEL = 'chn_1' as ChannelId;
const USER = 'usr_1' as UserId;
const TOKEN = 'key_1' as TokenId;
const STANDING: KeyStanding = {
  spent: 123_456_789_012_345_678n as Money,
  cap: null,
  balance: -5n as Money,
  left: -5n as Money,
};

describe('figures that gateways share', () => {
  const links: Linked[] = [];
  const linked = async (...args: Parameters<typeof linkTo>): Promise<Linked> => {
    const made = await linkTo(...args);
    links.push(made);
    return made;
  };
  afterEach(async () => {
    await Promise.all(links.splice(0).map(({ link }) => link.close()));
  });

  it('add up the calls of all gateways to a channel', async () => {
    const redis = await testRedis();
    const [one, other] = [(await linked(redis)).link, (await linked(redis)).link];
    const [first, second] = [countTraffic(one), countTraffic(other)];
    first.attemptFinished(CHANNEL, 'answered', 100);
    first.attemptFinished(CHANNEL, 'failed', 20);
    first.attemptFinished(CHANNEL, 'aborted', 9_999);
    second.attemptFinished(CHANNEL, 'timed_out', 300);
    second.attemptFinished(CHANNEL, 'refused', 20);
    await Promise.all([first.tell(), second.tell()]);
    await first.tell();
    const traffic = await redisChannelTraffics(one).of([CHANNEL, 'chn_2' as ChannelId]);
    expect([...traffic]).to.deep.equal([[CHANNEL, { attempts: 4, failures: 2, meanMs: 110 }]]);
  });

  it('are told later when they cannot be told now', async () => {
    const server = await startRedisProcess();
    try {
      const { link, whenReachable } = await linked({ url: server.url, prefix: 'p:' }, { commandMs: 250 });
      const traffic = countTraffic(link);
      server.freeze();
      while (link.isReachable('p:traffic:chn_1')) {
        traffic.attemptFinished(CHANNEL, 'answered', 10);
        await link.send('probe', 'p:traffic:chn_1', ['TYPE', 'p:traffic:chn_1']);
      }
      await traffic.tell();
      expect((await redisChannelTraffics(link).of([CHANNEL])).size).to.equal(0);
      server.thaw();
      await whenReachable(1);
      await traffic.tell();
      expect((await redisChannelTraffics(link).of([CHANNEL])).get(CHANNEL)).to.include({ attempts: 3, meanMs: 10 });
    } finally {
      await server.stop();
    }
  });

  it('know what a key has left without asking again, exactly', async () => {
    const redis = await testRedis();
    let asked = 0;
    const of = async (): Promise<KeyStanding> => {
      asked++;
      return STANDING;
    };
    const [one, other] = [sharedStandings({ of }, (await linked(redis)).link), sharedStandings({ of }, (await linked(redis)).link)];
    expect(await Promise.all([one.of(USER, TOKEN), one.of(USER, TOKEN)])).to.deep.equal([STANDING, STANDING]);
    expect(asked).to.equal(1);
    const name = `${redis.prefix}standing:key_1`;
    while ((await links[0]?.link.send('probe', name, ['EXISTS', name])) === 0);
    expect(await other.of(USER, TOKEN)).to.deep.equal(STANDING);
    expect(asked).to.equal(1);
    expect(await links[0]?.link.send('probe', name, ['PTTL', name])).to.be.within(0, 2_000);
  });

  it('do not keep a refusal', async () => {
    const answers: (KeyStanding | Refusal)[] = [refuse('read_model_behind'), STANDING];
    const standings = sharedStandings({ of: async () => answers.shift() ?? STANDING }, (await linked(await testRedis())).link);
    expect(await standings.of(USER, TOKEN)).to.include({ refused: 'read_model_behind' });
    expect(await standings.of(USER, TOKEN)).to.deep.equal(STANDING);
  });
});
