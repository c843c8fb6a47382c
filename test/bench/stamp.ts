/**
 * A token that tells when it was made: `~<microseconds in base 36>~` of the machine's monotonic clock, which all processes share. Whoever
 * reads it on the same machine knows how long it was on the way.
 */
const STAMP = /~([0-9a-z]+)~/g;

/** Microseconds of the monotonic clock. */
export const monotonicMicros = (): number => {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + nanos / 1e3;
};

export const stampNow = (): string => `~${Math.floor(monotonicMicros()).toString(36)}~`;

/** When the tokens in a text were made, in microseconds. */
export const stampsIn = (text: string): number[] => Array.from(text.matchAll(STAMP), ([, digits]) => Number.parseInt(digits ?? '', 36));
