import { expect } from 'chai';
import { parseRedisAddress } from '../../../infra/redis/redis-address.ts';

const open = { tls: false, username: undefined, password: undefined };

describe('the address of Redis', () => {
  it('is one server', () => {
    expect(parseRedisAddress('redis://cache.example')).to.deep.equal({
      kind: 'single',
      ...open,
      at: { host: 'cache.example', port: 6_379 },
      database: 0,
    });
    expect(parseRedisAddress('rediss://me:p%40ss@[::1]:7000/3')).to.deep.equal({
      kind: 'single',
      tls: true,
      username: 'me',
      password: 'p@ss',
      at: { host: '::1', port: 7_000 },
      database: 3,
    });
    expect(parseRedisAddress('redis://:only-a-password@h:1')).to.include({ username: undefined, password: 'only-a-password' });
  });

  it('is a master that sentinels name', () => {
    expect(parseRedisAddress('redis+sentinel://u:p@s1:26380,s2/main?database=2&sentinelPassword=q')).to.deep.equal({
      kind: 'sentinel',
      tls: false,
      username: 'u',
      password: 'p',
      sentinels: [
        { host: 's1', port: 26_380 },
        { host: 's2', port: 26_379 },
      ],
      master: 'main',
      database: 2,
      sentinelPassword: 'q',
    });
  });

  it('is a cluster', () => {
    expect(parseRedisAddress('rediss+cluster://a:1,b:2,c')).to.deep.equal({
      kind: 'cluster',
      ...open,
      tls: true,
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: 'c', port: 6_379 },
      ],
    });
  });

  for (const wrong of [
    'http://h',
    'redis://',
    'redis://a,b',
    'redis://h:99999',
    'redis://h/one',
    'redis://h?x=1',
    'redis+sentinel://h',
    'redis+sentinel://h/main?colour=red',
    'redis+cluster://a,b/1',
    'redis://a:%zz@h',
    'redis://h p',
  ])
    it(`is not ${wrong}`, () => expect(parseRedisAddress(wrong)).to.equal(null));
});
