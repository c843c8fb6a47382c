import type { RecentCalls } from '../../domain/relay/error-rate.ts';

const SLOTS = 12;

/** How calls went within the last while, in slots of time that are used over and over: counting one makes nothing new. */
export class HealthWindow {
  readonly #slotMs: number;
  /** Which slot of time each was last used for. */
  readonly #times = new Float64Array(SLOTS).fill(-1);
  readonly #attempts = new Uint32Array(SLOTS);
  readonly #failures = new Uint32Array(SLOTS);
  readonly #ms = new Float64Array(SLOTS);

  constructor(windowMs: number) {
    this.#slotMs = windowMs / SLOTS;
  }

  add(now: number, failed: boolean, ms: number): void {
    const time = Math.floor(now / this.#slotMs);
    const slot = ((time % SLOTS) + SLOTS) % SLOTS;
    if (this.#times[slot] !== time) {
      this.#times[slot] = time;
      this.#attempts[slot] = this.#failures[slot] = this.#ms[slot] = 0;
    }
    this.#attempts[slot] = (this.#attempts[slot] ?? 0) + 1;
    if (failed) this.#failures[slot] = (this.#failures[slot] ?? 0) + 1;
    else this.#ms[slot] = (this.#ms[slot] ?? 0) + ms;
  }

  sum(now: number): RecentCalls {
    const time = Math.floor(now / this.#slotMs);
    let [attempts, failures, ms] = [0, 0, 0];
    for (let slot = 0; slot < SLOTS; slot++) {
      const age = time - (this.#times[slot] ?? -1);
      if (age < 0 || age >= SLOTS) continue;
      attempts += this.#attempts[slot] ?? 0;
      failures += this.#failures[slot] ?? 0;
      ms += this.#ms[slot] ?? 0;
    }
    return { attempts, failures, meanMs: attempts > failures ? Math.round(ms / (attempts - failures)) : null };
  }

  clear(): void {
    this.#times.fill(-1);
  }
}
