import { look, windowAt, type Allowance, type Counter, type Look } from '../../domain/limits/allowance.ts';
import type { Answered, Asking, LimitCounters } from '../../gateways/ports/limit-counters.ts';
import type { RedisLink } from './redis-link.ts';
import type { Script } from './script.ts';

/** Places of a process that has been silent for so long are free again. */
const PLACES_LAPSE_MS = 15_000;
const RENEW_MS = 5_000;
/** How soon to try again for a place: nobody knows when one is given back. */
const PLACE_WAIT_MS = 100;

/**
 * A hash for each counter, with the members of {@link Counter}, by the server's clock. Arguments: the algorithm's first letter, amount, burst,
 * units, length of the window in ms, where the calendar's window began and the one ahead of it (or -1), whether to take only what is there
 * (1) or to use it whatever is (0). Answers whether it was taken, the time, and the counter ahead of it.
 */
const TAKE: Script = {
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local sliding = ARGV[1] == 's'
local amount, burst, units, length = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local start, earlier = tonumber(ARGV[6]), tonumber(ARGV[7])
if start < 0 then start = now - now % length; earlier = start - length end
local stored = redis.call('HMGET', KEYS[1], 'level', 'before', 'at')
local level, before, at = tonumber(stored[1]), tonumber(stored[2]) or 0, tonumber(stored[3])
if sliding then
  if at == nil then level, before, at = 0, 0, start
  elseif at < start then
    if at == earlier then before = level else before = 0 end
    level, at = 0, start
  end
else
  if at == nil then level, at = burst, now
  elseif now > at then level, at = math.min(burst, level + (now - at) * amount / length), now
  else level = math.min(burst, level) end
end
local was = string.format('%.6f', level)
local taken
if sliding then taken = level + before * (1 - math.max(0, now - at) / length) + units <= amount
else taken = level + 0.000001 >= units end
if ARGV[8] == '0' then taken = true end
if taken then
  if sliding then level = math.max(0, level + units) else level = math.min(burst, level - units) end
end
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'before', string.format('%.6f', before), 'at', string.format('%.0f', at))
redis.call('PEXPIRE', KEYS[1], math.ceil(2 * length + math.max(0, (burst - level) * length / amount)))
return {taken and 1 or 0, string.format('%.0f', now), was, string.format('%.6f', before), string.format('%.0f', at)}
`,
};

/** A hash for each limit of calls at once: `{process}` is `{calls}:{lapses at}`. Arguments: process, its calls with this one, most of all, lapse. */
const PLACES: Script = {
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local others, fields = 0, redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] ~= ARGV[1] then
    local calls, lapses = string.match(fields[i + 1], '^(%d+):(%d+)$')
    if calls == nil or tonumber(lapses) <= now then redis.call('HDEL', KEYS[1], fields[i]) else others = others + tonumber(calls) end
  end
end
local own, most = tonumber(ARGV[2]), tonumber(ARGV[3])
if most > 0 and own + others > most then return {0, others} end
if own > 0 then redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f:%.0f', own, now + tonumber(ARGV[4])))
else redis.call('HDEL', KEYS[1], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {1, others}
`,
};

/** Nothing is refused: what was taken is told again, or given back. */
const NO_MOST = 0;

export interface RedisLimitCounters extends LimitCounters {
  /** To be called about once a second: says that the calls that run here still do. */
  tick(now: number): void;
}

const FIXED = -1;

const windowArguments = (allowance: Allowance, now: number): readonly number[] => {
  const { start, length } = windowAt(allowance.window, now);
  return allowance.window === 'month' ? [length, start, windowAt('month', start - 1).start] : [length, FIXED, FIXED];
};

/** Counts in Redis, each counter in one key and one atomic step; what one call asks for is asked all at once. */
export const redisLimitCounters = (link: RedisLink, processName: string, clock: { now(): number }): RedisLimitCounters => {
  const keyOf = (name: string, kind: string): string => `${link.prefix}rule:${kind}:${name}`;
  const places = new Map<string, number>();
  let renewedAt = 0;

  const use = (name: string, allowance: Allowance, units: number, onlyIfThere: boolean): Promise<unknown> =>
    link.run('limits', TAKE, keyOf(name, `${allowance.algorithm.slice(0, 1)}${allowance.window}`), [
      allowance.algorithm.slice(0, 1),
      allowance.amount,
      allowance.burst,
      units,
      ...windowArguments(allowance, clock.now()),
      onlyIfThere ? 1 : 0,
    ]);

  const takeUnits = async (name: string, allowance: Allowance, units: number): Promise<Look | undefined> => {
    const reply = await use(name, allowance, units, true);
    if (!Array.isArray(reply)) return undefined;
    const [taken, now, level, before, at] = reply.map(Number) as [number, number, number, number, number];
    const counter: Counter = { level, before, at };
    return { ...look(counter, allowance, units, now), admitted: taken === 1 };
  };

  const tell = (name: string): Promise<unknown> =>
    link.run('limits', PLACES, keyOf(name, 'places'), [processName, places.get(name) ?? 0, NO_MOST, PLACES_LAPSE_MS]);

  const changePlaces = (name: string, by: number): number => {
    const calls = Math.max(0, (places.get(name) ?? 0) + by);
    if (calls === 0) places.delete(name);
    else places.set(name, calls);
    return calls;
  };

  const takePlace = async (name: string, most: number): Promise<Look | undefined> => {
    const own = changePlaces(name, 1);
    const reply = await link.run('limits', PLACES, keyOf(name, 'places'), [processName, own, most, PLACES_LAPSE_MS]);
    if (!Array.isArray(reply)) {
      changePlaces(name, -1);
      return undefined;
    }
    const [taken, others] = reply.map(Number) as [number, number];
    if (taken === 1) return { admitted: true, left: Math.max(0, most - others - own), waitMs: 0, resetMs: 0 };
    changePlaces(name, -1);
    return { admitted: false, left: 0, waitMs: PLACE_WAIT_MS, resetMs: 0 };
  };

  const counters: RedisLimitCounters = {
    take: async (asked: readonly Asking[]): Promise<Answered | undefined> => {
      const looks = await Promise.all(
        asked.map((asking) =>
          'places' in asking ? takePlace(asking.name, asking.places) : takeUnits(asking.name, asking.allowance, asking.units),
        ),
      );
      const known = looks.filter((seen) => seen !== undefined);
      if (known.length === asked.length && known.every(({ admitted }) => admitted)) return { admitted: true, looks: known };
      // All or nothing: what was let in is given back.
      for (const [i, asking] of asked.entries()) {
        if (looks[i]?.admitted !== true) continue;
        if ('places' in asking) counters.leave(asking.name);
        else counters.settle(asking.name, asking.allowance, -asking.units);
      }
      return known.length === asked.length ? { admitted: false, looks: known } : undefined;
    },
    settle: (name, allowance, units) => {
      if (units !== 0) void use(name, allowance, units, false);
    },
    leave: (name) => {
      changePlaces(name, -1);
      void tell(name);
    },
    tick: (now) => {
      if (now - renewedAt < RENEW_MS) return;
      renewedAt = now;
      for (const name of places.keys()) void tell(name);
    },
  };
  return counters;
};
