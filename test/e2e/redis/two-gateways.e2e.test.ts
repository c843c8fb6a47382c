import { expect } from 'chai';
import { startInstallation, type Installation } from '../../support/server-process/test-installation.ts';
import type { TestModel } from '../../support/server-process/operator.ts';
import { testDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startRedisProcess, type RedisProcess } from '../../support/redis/redis-process.ts';

const MODEL: TestModel = { model: 'm', inputPerToken: 1_000, cachedPerToken: 500, outputPerToken: 4_000, maxOutputTokens: 64 };
const PER_MINUTE = 20;

/** A key's limits in two gateways with one Redis, and what becomes of calls when that Redis goes. */
describe('two gateways and one Redis', function () {
  this.timeout(180_000);
  let database: TestDatabase;
  let redis: RedisProcess;
  let installation: Installation;

  before(async () => {
    [database, redis] = await Promise.all([testDatabase({ extensions: ['vector'] }), startRedisProcess()]);
    installation = await startInstallation({
      databaseUrl: database.url,
      gateways: 2,
      models: [MODEL],
      environment: {
        REDIS_URL: redis.url,
        OBLIVIOUS_REDIS_MS: '500',
        OBLIVIOUS_REQUESTS_PER_MINUTE: String(PER_MINUTE),
        OBLIVIOUS_DIRECTORY_KEYS: '2',
      },
    });
  });
  after(async () => {
    await installation.remove();
    await redis.stop();
    await database.drop();
  });

  const issued = async (): Promise<{ readonly tokenId: string; readonly secret: string }> =>
    installation.operator.createKey(await installation.operator.createUser(1_000_000_000n));
  const newKey = async (): Promise<string> => (await issued()).secret;
  const ask = async (gateway: number, secret: string): Promise<number> => {
    const response = await fetch(`${String(installation.urls[gateway])}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', max_tokens: 8, messages: [{ role: 'user', content: 'hello' }] }),
    });
    await response.arrayBuffer();
    return response.status;
  };
  /** Another process learns of a key from the log. */
  const known = async (gateway: number, secret: string): Promise<void> => {
    while ((await ask(gateway, secret)) === 401);
  };
  const count = (statuses: readonly number[], wanted: number): number => statuses.filter((status) => status === wanted).length;

  it('let a key have its limit once, not twice', async () => {
    const secret = await newKey();
    await known(1, secret);
    const began = performance.now();
    const statuses = await Promise.all(Array.from({ length: 3 * PER_MINUTE }, (_, call) => ask(call % 2, secret)));
    const refilled = Math.ceil(((performance.now() - began) * PER_MINUTE) / 60_000);
    expect(count(statuses, 429) + count(statuses, 200)).to.equal(statuses.length);
    // One was spent on learning of the key.
    expect(count(statuses, 200)).to.be.within(PER_MINUTE - 1, PER_MINUTE + refilled);
  });

  it('know keys for which they have no room in memory, and that they were revoked, though Redis holds them as they were', async () => {
    const keys = [await issued(), await issued(), await issued(), await issued()] as const;
    for (const { secret } of keys) await known(1, secret);
    for (const { secret } of keys) expect(await Promise.all([ask(0, secret), ask(1, secret)])).to.deep.equal([200, 200]);
    const [{ tokenId, secret }] = keys;
    const name = `oblivious:token:${tokenId}`;
    expect(redis.command('EXISTS', name)).to.equal('1');
    const before = redis.command('HGET', name, 'd');
    expect(before).to.contain('"revoked":false');
    const fields = ['p', 'a'].flatMap((field) => [field, redis.command('HGET', name, field)]);
    await installation.operator.request('POST', `/keys/${tokenId}/revoke`, { reason: 'lost' });
    const began = performance.now();
    for (const gateway of [0, 1]) {
      while ((await ask(gateway, secret)) !== 401);
      // What every lost deletion would leave behind.
      redis.command('HSET', name, ...fields, 'd', before);
    }
    expect(performance.now() - began).to.be.below(5_000);
    for (const other of keys.slice(1)) await Promise.all([ask(0, other.secret), ask(1, other.secret)]);
    expect(await Promise.all([ask(0, secret), ask(1, secret)])).to.deep.equal([401, 401]);
  });

  it('serve on while Redis is frozen, gone and back, each by its own limits', async () => {
    const keys = [await newKey(), await newKey(), await newKey()] as const;
    for (const key of keys) await known(1, key);
    redis.freeze();
    expect(await Promise.all([ask(0, keys[0]), ask(1, keys[0]), ask(0, keys[1])])).to.deep.equal([200, 200, 200]);
    redis.thaw();
    await redis.kill();
    expect(await Promise.all([ask(0, keys[1]), ask(1, keys[1])])).to.deep.equal([200, 200]);
    const statuses = await Promise.all(Array.from({ length: 2 * PER_MINUTE }, () => ask(0, keys[2])));
    expect(count(statuses, 200)).to.be.within(PER_MINUTE, PER_MINUTE + 10);
    await redis.restart();
    expect(await ask(1, keys[1])).to.equal(200);
    for (const { output } of installation.servers) expect(output()).to.contain('Redis is away');
  });
});
