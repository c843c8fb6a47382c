/** Milliseconds since some moment, that only ever grow: for durations and time limits, where a clock may jump. */
export interface Stopwatch {
  elapsed(): number;
}
