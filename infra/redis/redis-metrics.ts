import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RedisObserver } from './redis-link.ts';

const SECONDS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1];

/** Puts on record how Redis does. */
export const redisMetrics = (registry: Registry): RedisObserver => {
  const registers = [registry];
  const commands = new Counter({
    registers,
    name: 'oblivious_redis_commands_total',
    help: 'Commands to Redis by what they were for and what became of them; notSent: it was known to be away.',
    labelNames: ['use', 'outcome'],
  });
  const seconds = new Histogram({
    registers,
    name: 'oblivious_redis_seconds',
    help: 'How long commands that Redis answered took.',
    labelNames: ['use'],
    buckets: SECONDS,
  });
  const reachable = new Gauge({
    registers,
    name: 'oblivious_redis_reachable',
    help: 'Which part of the keys in Redis can be reached, from 0 to 1.',
    aggregator: 'min',
  });
  reachable.set(0);
  return {
    command: (use, outcome, took) => {
      commands.inc({ use, outcome });
      if (outcome === 'answered') seconds.observe({ use }, took);
    },
    reachable: (share) => reachable.set(share),
  };
};
