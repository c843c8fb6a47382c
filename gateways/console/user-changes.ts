import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '../../commands/ports/event-log.ts';
import { userStream } from '../../domain/user/user.ts';
import type { StreamName, UserId } from '../../schemas/ids.ts';

const RETRY_MS = 1_000;

/**
 * Tells whoever depends on what a user is that something has happened to that user, whichever process made it happen. One reader of the log
 * for all who listen, and none while nobody does.
 */
export class UserChanges {
  readonly #log: Pick<EventLog, 'subscribe' | 'head'>;
  readonly #listeners = new Map<StreamName, Set<() => void>>();
  #following: AbortController | null = null;

  constructor(log: Pick<EventLog, 'subscribe' | 'head'>) {
    this.#log = log;
  }

  /** Calls back after each change, and whenever changes may have been missed, as at the beginning. Answers with the way to stop. */
  listen(userId: UserId, listener: () => void): () => void {
    const stream = userStream(userId);
    const listeners = this.#listeners.get(stream) ?? new Set();
    this.#listeners.set(stream, listeners.add(listener));
    if (this.#following === null) {
      this.#following = new AbortController();
      void this.#follow(this.#following.signal);
    } else listener();
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(stream);
      if (this.#listeners.size > 0) return;
      this.#following?.abort();
      this.#following = null;
    };
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const after = await this.#log.head();
        if (signal.aborted) return;
        for (const stream of this.#listeners.keys()) this.#tell(stream);
        for await (const message of this.#log.subscribe({ after, filter: { categories: ['user'] }, signal }))
          if (message.kind === 'events') for (const { stream } of message.events) this.#tell(stream);
      } catch {
        // The log is away, which it says itself; everybody is told to look once it is back.
      }
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #tell(stream: StreamName): void {
    for (const listener of this.#listeners.get(stream) ?? []) listener();
  }
}
