import type { Refusal } from '../../../schemas/errors.ts';

/** How often it is looked whether the key is still good. */
const STANDING_MS = 500;

/** Whether the key may still be used: news of it is in memory well within a second. */
export class StandingLook {
  /** `null`: the key is good. */
  readonly #standing: () => Refusal | null | Promise<Refusal | null>;
  readonly #lost: (refusal: Refusal) => void;
  #lookedAt = 0;
  #isLooking = false;

  constructor(standing: () => Refusal | null | Promise<Refusal | null>, lost: (refusal: Refusal) => void) {
    this.#standing = standing;
    this.#lost = lost;
  }

  /** Looks, if it is time to. `now`: milliseconds on the stopwatch. */
  check(now: number): void {
    if (now - this.#lookedAt < STANDING_MS || this.#isLooking) return;
    this.#lookedAt = now;
    const standing = this.#standing();
    if (!(standing instanceof Promise)) {
      if (standing !== null) this.#lost(standing);
      return;
    }
    this.#isLooking = true;
    void standing
      .then((refusal) => {
        if (refusal !== null) this.#lost(refusal);
      })
      .finally(() => {
        this.#isLooking = false;
      });
  }
}
