import { asOf, look, untouched, use, type Allowance, type Counter, type Look } from '../../../domain/limits/allowance.ts';
import type { Clock } from '../../../commands/ports/clock.ts';
import type { Answered, Asking, LimitCounters } from '../../ports/limit-counters.ts';

interface Counted {
  readonly allowance: Allowance;
  counter: Counter;
}

/** Counters that nobody used for so long, by the rule's own window, say nothing any more; they are swept when there are this many. */
const SWEEP_AT = 20_000;

/** How soon to try again for a place: nobody knows when one is given back. */
const PLACE_WAIT_MS = 100;

/** Counts in this process. What was counted is gone when it ends. */
export class ProcessCounters implements LimitCounters {
  readonly #clock: Clock;
  readonly #counted = new Map<string, Counted>();
  readonly #places = new Map<string, number>();
  #sweepAt = SWEEP_AT;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(asked: readonly Asking[]): Answered {
    const now = this.#clock.now();
    const looks: Look[] = [];
    let admitted = true;
    for (const asking of asked) {
      const seen = this.#look(asking, now);
      looks.push(seen);
      admitted &&= seen.admitted;
    }
    if (admitted)
      for (const asking of asked)
        if ('places' in asking) this.#places.set(asking.name, (this.#places.get(asking.name) ?? 0) + 1);
        else this.#use(asking.name, asking.allowance, asking.units, now);
    return { admitted, looks };
  }

  settle(name: string, allowance: Allowance, units: number): void {
    if (units !== 0) this.#use(name, allowance, units, this.#clock.now());
  }

  leave(name: string): void {
    const places = (this.#places.get(name) ?? 0) - 1;
    if (places > 0) this.#places.set(name, places);
    else this.#places.delete(name);
  }

  #look(asking: Asking, now: number): Look {
    if (!('places' in asking)) return look(this.#of(asking.name, asking.allowance, now).counter, asking.allowance, asking.units, now);
    const taken = this.#places.get(asking.name) ?? 0;
    const admitted = taken < asking.places;
    return { admitted, left: Math.max(0, asking.places - taken - (admitted ? 1 : 0)), waitMs: admitted ? 0 : PLACE_WAIT_MS, resetMs: 0 };
  }

  #use(name: string, allowance: Allowance, units: number, now: number): void {
    const counted = this.#of(name, allowance, now);
    counted.counter = use(counted.counter, allowance, units);
  }

  /** A rule whose numbers were changed goes on from what was counted; what was counted in another way means nothing to it. */
  #of(name: string, allowance: Allowance, now: number): Counted {
    const known = this.#counted.get(name);
    const goesOn = known !== undefined && known.allowance.algorithm === allowance.algorithm && known.allowance.window === allowance.window;
    if (goesOn && known.allowance === allowance) {
      known.counter = asOf(known.counter, allowance, now);
      return known;
    }
    if (known === undefined && this.#counted.size >= this.#sweepAt) this.#sweep(now);
    const counted = { allowance, counter: goesOn ? asOf(known.counter, allowance, now) : untouched(allowance, now) };
    this.#counted.set(name, counted);
    return counted;
  }

  #sweep(now: number): void {
    for (const [name, { allowance, counter }] of this.#counted) {
      const { left } = look(asOf(counter, allowance, now), allowance, 0, now);
      if (left >= (allowance.algorithm === 'slidingWindow' ? allowance.amount : allowance.burst)) this.#counted.delete(name);
    }
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#counted.size);
  }
}
