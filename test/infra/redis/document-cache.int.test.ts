import { expect } from 'chai';
import { redisDocumentCache } from '../../../infra/redis/document-cache.ts';
import type { CachedDocument } from '../../../projections/ports/document-cache.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import { linkTo, type Linked } from '../../support/redis/linked.ts';
import { testRedis } from '../../support/redis/redis-servers.ts';

const at = (position: bigint, asOf = position, name = 'n'): CachedDocument => ({
  position: position as Position,
  asOf: asOf as Position,
  doc: { name },
});

describe('documents in Redis', () => {
  let linked: Linked;
  beforeEach(async () => {
    linked = await linkTo(await testRedis());
  });
  afterEach(() => linked.link.close());

  it('come back as they went in, for a while, positions beyond a double too', async () => {
    const { link } = linked;
    const cache = redisDocumentCache(link);
    const cached = at(9_223_372_036_854_775_000n, 9_223_372_036_854_775_001n);
    await cache.put('token', 'k', cached);
    expect(await cache.get('token', 'k')).to.deep.equal(cached);
    expect(await cache.get('user', 'k')).to.equal(null);
    const name = `${link.prefix}token:k`;
    expect(await link.send('probe', name, ['PTTL', name])).to.be.within(470_000, 600_000);
  });

  it('only ever go forwards', async () => {
    const cache = redisDocumentCache(linked.link);
    await cache.put('token', 'k', at(100n, 100n, 'new'));
    await cache.put('token', 'k', at(99n, 200n, 'old'));
    expect(await cache.get('token', 'k')).to.deep.equal(at(100n, 100n, 'new'));
    await cache.put('token', 'k', at(100n, 90n, 'new'));
    expect(await cache.get('token', 'k')).to.deep.equal(at(100n, 100n, 'new'));
    await cache.put('token', 'k', at(100n, 150n, 'new'));
    expect(await cache.get('token', 'k')).to.deep.equal(at(100n, 150n, 'new'));
    await cache.drop('token', 'k', 100n as Position);
    expect(await cache.get('token', 'k')).not.to.equal(null);
    await cache.drop('token', 'k', 101n as Position);
    expect(await cache.get('token', 'k')).to.equal(null);
  });

  it('are nothing when they are damaged', async () => {
    const { link } = linked;
    const cache = redisDocumentCache(link);
    const name = `${link.prefix}user:u`;
    await link.send('probe', name, ['HSET', name, 'p', '1', 'a', 'x', 'd', '{']);
    expect(await cache.get('user', 'u')).to.equal(null);
    await cache.put('user', 'v', at(1n));
    await link.send('probe', name, ['HSET', `${link.prefix}user:v`, 'd', '{']);
    expect(await cache.get('user', 'v')).to.equal(null);
  });

  it('are found by the hash of a key, many at once, and by who was used last', async () => {
    const cache = redisDocumentCache(linked.link);
    await cache.putTokenOf('a'.repeat(64), 'key_1');
    expect(await cache.tokenOf('a'.repeat(64))).to.equal('key_1');
    expect(await cache.tokenOf('b'.repeat(64))).to.equal(null);
    const keys = Array.from({ length: 250 }, (_, n) => `key_${n}`);
    for (const key of keys) await cache.put('token', key, at(5n, 5n, key));
    expect([...(await cache.getAll('token', [...keys, 'key_x'])).keys()]).to.deep.equal(keys);
    await cache.used(keys, 200);
    const last = await cache.lastUsed(1_000);
    expect(last).to.have.length(200);
    expect(await cache.lastUsed(3)).to.deep.equal(last.slice(0, 3));
  });
});
