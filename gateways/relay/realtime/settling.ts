/** Charges and releases that are on their way. */
export class Settling {
  readonly #open = new Set<Promise<unknown>>();

  add<Result>(settling: Promise<Result>): Promise<Result> {
    this.#open.add(settling);
    return settling.finally(() => this.#open.delete(settling));
  }

  /** Resolves once those that are under way now have ended, however they did. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#open);
  }
}
