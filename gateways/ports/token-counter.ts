/** Counts tokens exactly, off the main thread. Slow and rarely needed: only where an upstream did not say. */
export interface TokenCounter {
  /** Tokens of all texts together; falls back on a count by length rather than fail or take long. */
  count(texts: readonly string[]): Promise<number>;
}
