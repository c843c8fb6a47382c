import type { ChannelTraffic, ChannelTraffics } from '../../gateways/ports/channel-traffic.ts';
import type { RelayMetrics } from '../../gateways/ports/relay-metrics.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { RedisLink } from './redis-link.ts';
import type { Script } from './script.ts';

const MINUTES = 15;
/** A page shows no more. */
const MOST_SHOWN = 500;

/** A hash for each channel: `{minute}:a` attempts, `:f` failures, `:m` milliseconds. Arguments: attempts, failures, milliseconds, minutes kept. */
const ADD: Script = {
  lua: `
local minute = math.floor(redis.call('TIME')[1] / 60)
redis.call('HINCRBY', KEYS[1], minute .. ':a', ARGV[1])
redis.call('HINCRBY', KEYS[1], minute .. ':f', ARGV[2])
redis.call('HINCRBY', KEYS[1], minute .. ':m', ARGV[3])
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if tonumber(string.match(field, '^%d+')) <= minute - ARGV[4] then redis.call('HDEL', KEYS[1], field) end
end
redis.call('EXPIRE', KEYS[1], ARGV[4] * 60)
return 1
`,
};

const SUM: Script = {
  lua: `
local minute = math.floor(redis.call('TIME')[1] / 60)
local sums, fields = {a = 0, f = 0, m = 0}, redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local at, what = string.match(fields[i], '^(%d+):(%a)$')
  if tonumber(at) > minute - ARGV[1] then sums[what] = sums[what] + fields[i + 1] end
end
return {sums.a, sums.f, sums.m}
`,
};

const keyOf = (link: RedisLink, channelId: string): string => `${link.prefix}traffic:${channelId}`;

interface Counted {
  attempts: number;
  failures: number;
  ms: number;
}

/** Counts the attempts of this process, for everybody to see. */
export interface CountedTraffic {
  readonly attemptFinished: RelayMetrics['attemptFinished'];
  /** Adds what was counted to what all have. What cannot be told now is told later. */
  tell(): Promise<void>;
}

export const countTraffic = (link: RedisLink): CountedTraffic => {
  let counted = new Map<string, Counted>();
  const add = (channelId: string, { attempts, failures, ms }: Counted): void => {
    const so = counted.get(channelId);
    if (so === undefined) counted.set(channelId, { attempts, failures, ms });
    else {
      so.attempts += attempts;
      so.failures += failures;
      so.ms += ms;
    }
  };
  return {
    attemptFinished: (channelId, outcome, durationMs) => {
      if (outcome === 'aborted') return;
      add(channelId, { attempts: 1, failures: outcome === 'failed' || outcome === 'timed_out' ? 1 : 0, ms: durationMs });
    },
    tell: async () => {
      const telling = counted;
      counted = new Map();
      await Promise.all(
        [...telling].map(async ([channelId, each]) => {
          const { attempts, failures, ms } = each;
          const told = await link.run('channels', ADD, keyOf(link, channelId), [attempts, failures, Math.round(ms), MINUTES]);
          if (told === undefined) add(channelId, each);
        }),
      );
    },
  };
};

/** The same metrics, with the attempts counted besides. */
export const withTraffic = (metrics: RelayMetrics, traffic: CountedTraffic): RelayMetrics => ({
  ...metrics,
  attemptFinished: (...attempt) => {
    metrics.attemptFinished(...attempt);
    traffic.attemptFinished(...attempt);
  },
});

export const redisChannelTraffics = (link: RedisLink): ChannelTraffics => ({
  of: async (channelIds) => {
    const found = new Map<ChannelId, ChannelTraffic>();
    await Promise.all(
      channelIds.slice(0, MOST_SHOWN).map(async (channelId) => {
        const sums = await link.run('channels', SUM, keyOf(link, channelId), [MINUTES]);
        if (!Array.isArray(sums)) return;
        const [attempts, failures, ms] = sums.map(Number) as [number, number, number];
        if (attempts > 0) found.set(channelId, { attempts, failures, meanMs: Math.round(ms / attempts) });
      }),
    );
    return found;
  },
});
