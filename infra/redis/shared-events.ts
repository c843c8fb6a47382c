import { z } from 'zod';
import type { BufferedEvent, SharedEvents } from '../../gateways/ports/shared-events.ts';
import type { RedisLink } from './redis-link.ts';
import type { Script } from './script.ts';

/** How long events are kept behind the latest of them. */
const KEPT_MS = 3_600_000;
/** Most entries of one answer; the oldest go first, and whoever needs them is told. */
const MOST_ENTRIES = 20_000;
const PAGE = 200;

/**
 * An entry's id is the number of its last event and one more, so that sending it again changes nothing: a stream takes no id that is not above
 * its last.
 */
const APPEND: Script = {
  lua: `
redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], ARGV[1] .. '-0', 'e', ARGV[2])
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if last[1] and tonumber(string.match(last[1][1], '^%d+')) >= tonumber(ARGV[1]) then return 1 end
return 0
`,
};

const AFTER: Script = {
  lua: `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('XRANGE', KEYS[1], ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])
`,
};

const Events = z.array(z.tuple([z.int().nonnegative(), z.string(), z.boolean()]));
const Entries = z.array(z.tuple([z.string(), z.tuple([z.literal('e'), z.string()])]));

/** Events of answers that are made in the background, in a stream of Redis each. */
export const redisSharedEvents = (link: RedisLink): SharedEvents => {
  const keyOf = (id: string): string => `${link.prefix}events:${id}`;
  return {
    append: async (id, events) => {
      const last = events.at(-1);
      if (last === undefined) return true;
      const text = JSON.stringify(events.map(({ number, text: said, isLast }) => [number, said, isLast]));
      return (await link.run('events', APPEND, keyOf(id), [last.number + 1, text, MOST_ENTRIES, KEPT_MS])) === 1;
    },
    drop: async (id) => {
      await link.send('events', keyOf(id), ['DEL', keyOf(id)]);
    },
    after: async (id, number) => {
      // An entry that ends behind the number may begin before it.
      const reply = await link.run('events', AFTER, keyOf(id), [number + 2, PAGE]);
      if (reply === undefined) return null;
      if (reply === 0) return 'unknown';
      const entries = Entries.safeParse(reply);
      if (!entries.success) return null;
      const found: BufferedEvent[] = [];
      for (const [, [, json]] of entries.data) {
        const events = Events.safeParse(JSON.parse(json));
        if (!events.success) return null;
        for (const [at, text, isLast] of events.data) if (at > number) found.push({ number: at, text, isLast });
      }
      return found;
    },
  };
};
