import type { Stopwatch } from '../../gateways/ports/stopwatch.ts';

export interface HandStopwatch extends Stopwatch {
  advance(ms: number): void;
}

/** Time that passes when a test says so: what has a limit is neither late nor early, however busy the machine. */
export const handStopwatch = (): HandStopwatch => {
  let now = 0;
  return {
    elapsed: () => now,
    advance: (ms) => {
      now += ms;
    },
  };
};
