import type { UserId } from '../../schemas/ids.ts';

/** Who waits for an account to move. */
export class AccountNews {
  readonly #watchers = new Map<UserId, Set<() => void>>();

  /** True when the account moved in a way that may have freed money; false when nothing came in time. */
  next(userId: UserId, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const watchers = this.#watchers.get(userId) ?? new Set();
      this.#watchers.set(userId, watchers);
      const done = (moved: boolean): void => {
        clearTimeout(timer);
        watchers.delete(wake);
        if (watchers.size === 0) this.#watchers.delete(userId);
        resolve(moved);
      };
      const wake = (): void => done(true);
      const timer = setTimeout(() => done(false), withinMs);
      watchers.add(wake);
    });
  }

  moved(userId: UserId): void {
    for (const wake of this.#watchers.get(userId) ?? []) wake();
  }
}
