import type { Stopwatch } from '../../gateways/ports/stopwatch.ts';

export const stopwatch: Stopwatch = { elapsed: () => performance.now() };
