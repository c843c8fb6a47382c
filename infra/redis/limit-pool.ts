import type { LimitPool } from '../../gateways/ports/limit-pool.ts';
import type { RedisLink } from './redis-link.ts';
import type { Script } from './script.ts';

/** Places of a process that has been silent for so long are free again: three times as long as they take to be renewed. */
const PLACES_LAPSE_MS = 15_000;
/** A bucket is full again after a minute, and a full one need not be kept. */
const FORGET_MS = 120_000;

/**
 * A hash for each allowance: `level` and `at` are its bucket, which fills steadily by the server's clock; `p:{process}` is
 * `{places}:{lapses at}`. Arguments: requests a minute and places in all (0: no limit), owed, wanted, worth asking, process, places needed
 * and wanted, lapse, forget.
 */
const ASK: Script = {
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local perMinute, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local taken, wait, places = 0, 0, 0
if perMinute > 0 then
  local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
  local level, at = tonumber(bucket[1]) or perMinute, tonumber(bucket[2]) or now
  if now > at then
    level = math.min(perMinute, level + (now - at) * perMinute / 60000)
  else
    now = at
  end
  level = math.min(perMinute, level - tonumber(ARGV[3]))
  local wanted = tonumber(ARGV[4])
  taken = math.max(0, math.min(wanted, math.floor(level)))
  level = level - taken
  if taken < wanted then wait = math.max(1, math.ceil((tonumber(ARGV[5]) - level) * 60000 / perMinute)) end
  redis.call('HSET', KEYS[1], 'level', string.format('%.4f', level), 'at', string.format('%.0f', now))
end
if most > 0 then
  local own, others = 'p:' .. ARGV[6], 0
  local fields = redis.call('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    local name = fields[i]
    if string.sub(name, 1, 2) == 'p:' and name ~= own then
      local count, lapses = string.match(fields[i + 1], '^(%d+):(%d+)$')
      if count == nil or tonumber(lapses) <= now then
        redis.call('HDEL', KEYS[1], name)
      else
        others = others + tonumber(count)
      end
    end
  end
  places = math.max(tonumber(ARGV[7]), math.min(tonumber(ARGV[8]), most - others))
  if places > 0 then
    redis.call('HSET', KEYS[1], own, string.format('%.0f:%.0f', places, now + tonumber(ARGV[9])))
  else
    redis.call('HDEL', KEYS[1], own)
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[10])
return {taken, wait, places}
`,
};

/** Allowances in Redis, one key each. A process that dies loses its places there within seconds. */
export const redisLimitPool = (link: RedisLink, processName: string, placesLapseMs = PLACES_LAPSE_MS): LimitPool => {
  const keyOf = (subject: string): string => `${link.prefix}limit:${subject}`;
  return {
    isReachable: (subject) => link.isReachable(keyOf(subject)),
    ask: async ({ subject, requestsPerMinute, inFlight, owed, wanted, worthAsking, placesNeeded, placesWanted }) => {
      const reply = await link.run('limits', ASK, keyOf(subject), [
        requestsPerMinute ?? 0,
        inFlight ?? 0,
        owed,
        wanted,
        worthAsking,
        processName,
        placesNeeded,
        placesWanted,
        placesLapseMs,
        FORGET_MS,
      ]);
      if (!Array.isArray(reply)) return undefined;
      const [taken, waitMs, places] = reply.map(Number) as [number, number, number];
      return { taken, waitMs, places };
    },
  };
};
