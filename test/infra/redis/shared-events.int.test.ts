import { expect } from 'chai';
import type { BufferedEvent } from '../../../gateways/ports/shared-events.ts';
import { redisSharedEvents } from '../../../infra/redis/shared-events.ts';
import { linkTo, type Linked } from '../../support/redis/linked.ts';
import { testRedis } from '../../support/redis/redis-servers.ts';

const events = (from: number, to: number): readonly BufferedEvent[] =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ number: from + at, text: `event ${from + at}`, isLast: from + at === 9 }));

describe('events of answers in Redis', () => {
  let linked: Linked;
  beforeEach(async () => {
    linked = await linkTo(await testRedis());
  });
  afterEach(() => linked.link.close());

  it('come back in order from wherever one begins, once, however often they are sent', async () => {
    const shared = redisSharedEvents(linked.link);
    expect(await shared.after('r', -1)).to.equal('unknown');
    expect(await shared.append('r', events(0, 3))).to.equal(true);
    expect(await shared.append('r', events(0, 3))).to.equal(true);
    expect(await shared.append('r', events(4, 9))).to.equal(true);
    for (const after of [-1, 0, 2, 3, 5, 8, 9]) expect(await shared.after('r', after), String(after)).to.deep.equal(events(after + 1, 9));
    expect(await shared.after('other', -1)).to.equal('unknown');
  });

  it('are kept for a while, and unknown where they were flushed', async () => {
    const { link } = linked;
    const shared = redisSharedEvents(link);
    await shared.append('r', events(0, 3));
    const name = `${link.prefix}events:r`;
    expect(await link.send('probe', name, ['PTTL', name])).to.be.within(3_500_000, 3_600_000);
    await link.send('probe', name, ['DEL', name]);
    expect(await shared.after('r', 1)).to.equal('unknown');
    // What comes behind a loss is told as it is: whoever reads sees the gap.
    await shared.append('r', events(4, 5));
    expect(await shared.after('r', 1)).to.deep.equal(events(4, 5));
  });

  it('are gone when they are dropped', async () => {
    const shared = redisSharedEvents(linked.link);
    await shared.append('r', events(0, 3));
    await shared.drop('r');
    expect(await shared.after('r', -1)).to.equal('unknown');
  });

  it('are told by nobody where Redis is gone', async () => {
    const { link } = linked;
    const shared = redisSharedEvents(link);
    await link.close();
    expect(await shared.append('r', events(0, 3))).to.equal(false);
    expect(await shared.after('r', -1)).to.equal(null);
  });
});
