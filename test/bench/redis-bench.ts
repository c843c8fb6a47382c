/**
 * What Redis adds to a call, well and ill: how long the relay's limiter takes to let one in. Starts its own server; takes about ten seconds.
 * Run with `npx tsx test/bench/redis-bench.ts`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Caller } from '../../gateways/relay/call.ts';
import { Limiter } from '../../gateways/relay/limit.ts';
import type { CallerLimits } from '../../gateways/relay/relay-limits.ts';
import { SharedLimits } from '../../gateways/relay/shared-limits.ts';
import { redisLimitPool } from '../../infra/redis/limit-pool.ts';
import { settings } from '../../schemas/config.ts';
import { UNRESTRICTED } from '../../schemas/events/token.ts';
import type { TokenId, UserId } from '../../schemas/ids.ts';
import { startDelayingProxy } from '../support/delaying-proxy.ts';
import { linkTo, type Linked } from '../support/redis/linked.ts';
import { startRedisProcess } from '../support/redis/redis-process.ts';

const CALLS = 2_000;
const COMMAND_MS = settings.OBLIVIOUS_REDIS_MS.schema.parse(undefined);
const NO_LIMIT: CallerLimits = { requestsPerMinute: null, inFlight: null };
const stopwatch = { elapsed: (): number => performance.now() };

const callerOf = (n: number): Caller => ({
  token: {
    tokenId: `key_${n}` as TokenId,
    userId: `usr_${n}` as UserId,
    name: 'bench',
    disabled: false,
    revoked: false,
    exhausted: false,
    expiresAt: null,
    restrictions: UNRESTRICTED,
  },
  user: { userId: `usr_${n}` as UserId, group: 'default', role: 'user', suspended: false },
});

const one = callerOf(0);
let keys = 0;

/** One key whose limit is large, and keys of which each is limited to so little that every call of it asks. */
const CASES: readonly { readonly name: string; readonly limits: CallerLimits; readonly caller: () => Caller }[] = [
  { name: 'usual limit (60 000 a minute)', limits: { requestsPerMinute: 60_000, inFlight: 2_000 }, caller: () => one },
  {
    name: 'small limit (50 a minute), a new key each call',
    limits: { requestsPerMinute: 50, inFlight: null },
    caller: () => callerOf(++keys),
  },
];

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const measure = async (state: string, linked: Linked | null): Promise<void> => {
  for (const { name, limits, caller } of CASES) {
    const shared = linked === null ? null : new SharedLimits(redisLimitPool(linked.link, 'bench'), stopwatch);
    const limiter = new Limiter(stopwatch, { perKey: limits, perUser: NO_LIMIT }, shared);
    const took: number[] = [];
    for (let call = 0; call < CALLS; call++) {
      const calling = caller();
      const began = performance.now();
      const asked = limiter.enter(calling);
      if (asked instanceof Promise) await asked;
      took.push(performance.now() - began);
      limiter.leave(calling);
      if (call % 100 === 0) await pause(1);
    }
    const sorted = took.toSorted((a, b) => a - b);
    const waited = took.filter((ms) => ms > COMMAND_MS / 2).length;
    const ms = (value: number): string => value.toFixed(3);
    process.stdout.write(`| ${state} | ${name} | ${ms(at(sorted, 0.5))} | ${ms(at(sorted, 0.99))} | ${ms(at(sorted, 1))} | ${waited} |\n`);
  }
};

const server = await startRedisProcess();
const proxy = await startDelayingProxy({ host: '127.0.0.1', port: server.port });
const link = (): Promise<Linked> => linkTo({ url: `redis://127.0.0.1:${proxy.port}`, prefix: 'bench:' }, { commandMs: COMMAND_MS });
try {
  process.stdout.write(
    `Milliseconds until a call is let in; ${CALLS} calls a line, ${COMMAND_MS} ms for a command.\n\n` +
      `| Redis | key | half within | 99 % within | longest | calls that waited over ${COMMAND_MS / 2} ms |\n| --- | --- | --- | --- | --- | --- |\n`,
  );
  await measure('none', null);
  const linked = await link();
  await measure('answers', linked);
  proxy.delayMs = 2;
  await measure('answers 2 ms late', linked);
  proxy.delayMs = 200;
  await measure('answers 200 ms late', linked);
  proxy.delayMs = 0;
  await linked.whenReachable(1);
  server.freeze();
  await measure('frozen', linked);
  server.thaw();
  await linked.whenReachable(1);
  await server.kill();
  await measure('gone', linked);
  await linked.link.close();
} finally {
  await proxy.close();
  await server.stop();
}
