import { Roster, type Listed } from './roster.ts';

/** A call that can be told to come to an end. */
export interface Stoppable extends Listed {
  stop(): void;
  /** No call comes any more: what lasts without working is to end by itself, as soon as it can. */
  endSoon?(): void;
}

/** The calls that run now, for a shutdown that lets them finish. */
export class CallsInFlight {
  readonly #calls = new Roster<Stoppable>();
  #admitting = true;
  readonly #onIdle: (() => void)[] = [];

  get size(): number {
    return this.#calls.size;
  }

  /** False once the process is to end: what arrives now belongs to another. */
  get admitting(): boolean {
    return this.#admitting;
  }

  add(call: Stoppable): void {
    this.#calls.add(call);
  }

  delete(call: Stoppable): void {
    this.#calls.delete(call);
    if (this.#calls.size > 0) return;
    for (const idle of this.#onIdle.splice(0)) idle();
  }

  stopAdmitting(): void {
    this.#admitting = false;
  }

  /** Resolves when no call runs. */
  idle(): Promise<void> {
    return this.#calls.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /**
   * Lets calls finish for `ms`, then ends those that still run: their streams get an error event, and what they produced is
   * charged. Resolves when all have ended.
   */
  async drain(ms: number): Promise<void> {
    this.stopAdmitting();
    for (const call of this.#calls.all()) call.endSoon?.();
    if (this.#calls.size === 0) return;
    const timer = setTimeout(() => {
      for (const call of this.#calls.all()) call.stop();
    }, ms);
    await this.idle();
    clearTimeout(timer);
  }
}
