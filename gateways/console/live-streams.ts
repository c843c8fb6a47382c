import { refuse, type Refusal } from '../../schemas/errors.ts';

/** A console shows one or two at once; each is a reader of the log. */
const MOST_PER_CALLER = 10;
const MOST_IN_ALL = 500;

/** Counts the streams that are open, so that nobody's can be so many that the others starve. */
export class LiveStreams {
  readonly #byCaller = new Map<string, number>();
  #all = 0;

  /** The way to end the count again, or the refusal to begin it. */
  open(caller: string): (() => void) | Refusal {
    const own = this.#byCaller.get(caller) ?? 0;
    if (own >= MOST_PER_CALLER || this.#all >= MOST_IN_ALL)
      return refuse('too_many_in_flight', 'Too many live streams are open. Close some pages.', { retryAfterSeconds: 5 });
    this.#byCaller.set(caller, own + 1);
    this.#all++;
    return () => {
      const left = (this.#byCaller.get(caller) ?? 1) - 1;
      if (left === 0) this.#byCaller.delete(caller);
      else this.#byCaller.set(caller, left);
      this.#all--;
    };
  }
}
