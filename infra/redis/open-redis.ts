import { readFileSync } from 'node:fs';
import type { Config } from '../../schemas/config.ts';
import type { ProgramLog } from '../logging/logger.ts';
import { parseRedisAddress } from './redis-address.ts';
import { RedisLink, type RedisObserver } from './redis-link.ts';

export interface OpenRedisOptions {
  readonly config: Pick<Config, 'REDIS_URL' | 'OBLIVIOUS_REDIS_PREFIX' | 'OBLIVIOUS_REDIS_MS'> & Partial<Pick<Config, 'REDIS_CA'>>;
  readonly processName: string;
  readonly programLog: Pick<ProgramLog, 'info' | 'warn'>;
  readonly metrics: RedisObserver;
}

/** The way to Redis where one is configured, else `null`. Does not wait for one that is away. */
export const openRedis = async ({ config, processName, programLog, metrics }: OpenRedisOptions): Promise<RedisLink | null> => {
  if (config.REDIS_URL === undefined) return null;
  const address = parseRedisAddress(config.REDIS_URL);
  if (address === null) throw new Error('REDIS_URL was checked when the configuration was read');
  return RedisLink.open({
    address,
    ...(config.REDIS_CA === undefined ? {} : { authorities: readFileSync(config.REDIS_CA) }),
    prefix: config.OBLIVIOUS_REDIS_PREFIX,
    commandMs: config.OBLIVIOUS_REDIS_MS,
    name: processName,
    observer: {
      command: metrics.command,
      reachable: (share, reason) => {
        metrics.reachable(share, reason);
        if (share === 1) programLog.info('Redis answers: limits and caches are shared between processes', {});
        else programLog.warn('Redis is away: limits hold per process and caches are passed by', { reachable: share, reason });
      },
    },
  });
};
