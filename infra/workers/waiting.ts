import { setTimeout as pause } from 'node:timers/promises';

/** Waits, but not beyond the signal. */
export const pauseUntil = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  pause(milliseconds, undefined, { signal }).catch(() => undefined);

/** Rings for those who wait, and is not missed by those who come just after. */
export class Bell {
  #rung = false;
  readonly #waiters = new Set<() => void>();

  ring(): void {
    this.#rung = true;
    for (const wake of this.#waiters) wake();
  }

  /** Until it rings, the time in milliseconds is over, or the signal aborts. */
  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          this.#waiters.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, milliseconds);
        signal.addEventListener('abort', wake);
        this.#waiters.add(wake);
      });
    }
    this.#rung = false;
  }
}

/** Works again and again until the signal aborts; after a failure with a pause that grows while failures go on. */
export const persist = async (
  work: () => Promise<void>,
  { longestPauseMs, failed }: { readonly longestPauseMs: number; readonly failed: (error: Error) => void },
  signal: AbortSignal,
): Promise<void> => {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await work();
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failed(error instanceof Error ? error : new Error(String(error)));
      await pauseUntil(Math.min(longestPauseMs, 50 * 2 ** Math.min(failures++, 10)), signal);
    }
  }
};
