import type { Clock } from '../commands/ports/clock.ts';

export const systemClock: Clock = { now: () => Date.now() };
