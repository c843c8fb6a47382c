import type { Stopwatch } from '../ports/stopwatch.ts';
import { Roster, type Listed } from './roster.ts';

/** Something with time limits. `check` may remove it. */
export interface Watched extends Listed {
  check(now: number): void;
}

/**
 * Looks at everything that has time limits, now and then, with one timer for all: a timer of its own for each stream, set
 * anew with each chunk, would cost more than passing the chunk on.
 */
export class Watch {
  readonly #stopwatch: Stopwatch;
  readonly #everyMs: number;
  readonly #watched = new Roster<Watched>();
  #timer: NodeJS.Timeout | null = null;

  constructor(stopwatch: Stopwatch, everyMs: number) {
    this.#stopwatch = stopwatch;
    this.#everyMs = everyMs;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#look(), this.#everyMs).unref();
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
  }

  #look(): void {
    if (this.#watched.size === 0) {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    const now = this.#stopwatch.elapsed();
    for (const watched of this.#watched.all()) if (watched.place >= 0) watched.check(now);
  }
}
