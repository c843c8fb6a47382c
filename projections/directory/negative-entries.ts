/** What is known not to exist, for a while, and no more of it than can be remembered. */
export class NegativeEntries {
  readonly #most: number;
  readonly #forMs: number;
  readonly #until = new Map<string, number>();

  constructor(most: number, forMs: number) {
    this.#most = most;
    this.#forMs = forMs;
  }

  has(name: string, now: number): boolean {
    const until = this.#until.get(name);
    if (until === undefined) return false;
    if (now < until) return true;
    this.#until.delete(name);
    return false;
  }

  /** `spread`, in [0, 1), keeps entries of one moment from ending in one moment. */
  add(name: string, now: number, spread: number): void {
    this.#until.delete(name);
    if (this.#until.size >= this.#most) {
      const oldest = this.#until.keys().next();
      if (!oldest.done) this.#until.delete(oldest.value);
    }
    this.#until.set(name, now + this.#forMs * (1 - spread / 5));
  }

  delete(name: string): void {
    this.#until.delete(name);
  }
}
