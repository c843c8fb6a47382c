import { hash } from 'node:crypto';
import type { SignInFailures } from '../../gateways/ports/sign-in-failures.ts';
import type { RedisLink } from './redis-link.ts';
import type { Script } from './script.ts';

const FIRST_WAIT_MS = 1_000;
/** Failures are forgotten after an hour without another. */
const FORGET_MS = 3_600_000;

/** `n` failures, the last `at`. Arguments: free, first wait, longest wait, forget. */
const BEGIN: Script = {
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local failures = redis.call('HMGET', KEYS[1], 'n', 'at')
local n, at, free = tonumber(failures[1]) or 0, tonumber(failures[2]) or 0, tonumber(ARGV[1])
if n >= free then
  local wait = math.min(tonumber(ARGV[2]) * 2 ^ math.min(n - free, 30), tonumber(ARGV[3]))
  if at + wait > now then return math.ceil(at + wait - now) end
end
redis.call('HSET', KEYS[1], 'n', n + 1, 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0
`,
};

const FORGIVE: Script = {
  lua: `
if (tonumber(redis.call('HGET', KEYS[1], 'n')) or 0) > 0 then redis.call('HINCRBY', KEYS[1], 'n', -1) end
return 1
`,
};

/** Failures to sign in, in Redis, under hashes of the names: no address of anybody stands there. */
export const redisSignInFailures = (link: RedisLink): SignInFailures => {
  const keyOf = (who: string): string => `${link.prefix}signin:${hash('sha256', who)}`;
  return {
    begin: async (who, { free, longestMs }) => {
      const wait = await link.run('signIn', BEGIN, keyOf(who), [free, FIRST_WAIT_MS, longestMs, FORGET_MS]);
      return typeof wait === 'number' ? wait : undefined;
    },
    forgive: async (who) => void (await link.run('signIn', FORGIVE, keyOf(who), [])),
    forget: async (who) => void (await link.send('signIn', keyOf(who), ['DEL', keyOf(who)])),
  };
};
