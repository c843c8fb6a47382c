/** Counts tokens, off the main thread. Slow and rarely needed: only where an upstream did not say, and where a client asks. */
export interface TokenCounter {
  /**
   * Tokens of all texts together, by the rule for the family of a model of this name; falls back on a count by length, from above, rather than
   * fail or take long.
   */
  count(texts: readonly string[], model: string): Promise<number>;
}
