import type { EndedSessions } from '../../gateways/ports/ended-sessions.ts';
import type { RedisLink } from './redis-link.ts';
import type { Script } from './script.ts';

/** No session lasts longer than a week. */
const LONGEST_MS = 7 * 24 * 3_600_000;
/** Most sessions that are remembered; the oldest go first. */
const REMEMBERED = 50_000;

/**
 * Sessions by when they ended, by the server's clock. Puts in those that are given and answers with the time, and with all that ended since
 * a time. Arguments: since, how long they are kept, sessions.
 */
const EXCHANGE: Script = {
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - tonumber(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {string.format('%.0f', now), redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf')}
`,
};

export interface HearingEndedSessions extends EndedSessions {
  /** Tells what was not told yet and hears what is new. To be called about once a second. */
  hear(): Promise<void>;
}

/** News of sign-outs by way of Redis. What was heard stays known while Redis is away, and what could not be told is told when it is back. */
export const redisEndedSessions = (link: RedisLink): HearingEndedSessions => {
  const key = `${link.prefix}ended`;
  const known = new Set<string>();
  const untold = new Set<string>();
  let since = '0';

  const remember = (sessionId: string): void => {
    known.add(sessionId);
    if (known.size <= REMEMBERED) return;
    const oldest = known.values().next();
    if (!oldest.done) known.delete(oldest.value);
  };
  const hear = async (): Promise<void> => {
    const telling = [...untold];
    const reply = await link.run('sessions', EXCHANGE, key, [since, LONGEST_MS, ...telling]);
    if (!Array.isArray(reply)) return;
    const [now, ended] = reply as [string, readonly string[]];
    for (const sessionId of telling) untold.delete(sessionId);
    for (const sessionId of ended) remember(sessionId);
    since = now;
  };
  return {
    end: (sessionId) => {
      remember(sessionId);
      untold.add(sessionId);
      void hear();
    },
    has: (sessionId) => known.has(sessionId),
    hear,
  };
};
