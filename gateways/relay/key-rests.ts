import type { ChannelKeyId } from '../../schemas/ids.ts';
import type { DirectoryChannelKey } from '../ports/directory.ts';

interface KeyRest {
  /** As it was when it began to rest. Whoever has changed it since has seen to it. */
  key: DirectoryChannelKey;
  until: number;
  /** Times in a row that it had to rest. */
  times: number;
}

/** The keys of one channel that rest: refused, spent, or called too often. Times are the stopwatch's. */
export class KeyRests {
  readonly #rests = new Map<ChannelKeyId, KeyRest>();

  /** How often in a row the key had to rest. */
  times(keyId: ChannelKeyId): number {
    return this.#rests.get(keyId)?.times ?? 0;
  }

  /** Rests until then at least; never shorter than it was to rest already. */
  rest(key: DirectoryChannelKey, until: number): void {
    const rest = this.#rests.get(key.keyId);
    if (rest === undefined) this.#rests.set(key.keyId, { key, until, times: 1 });
    else {
      rest.key = key;
      rest.until = Math.max(rest.until, until);
      rest.times++;
    }
  }

  /** It works: what it had to rest for is forgotten. */
  works(keyId: ChannelKeyId): void {
    if (this.#rests.size > 0) this.#rests.delete(keyId);
  }

  isResting(key: DirectoryChannelKey, now: number): boolean {
    if (this.#rests.size === 0) return false;
    const rest = this.#rests.get(key.keyId);
    if (rest === undefined || now >= rest.until) return false;
    if (rest.key === key) return true;
    this.#rests.delete(key.keyId);
    return false;
  }

  /** `null`: it does not rest, and has not since it worked. */
  until(keyId: ChannelKeyId): number | null {
    return this.#rests.get(keyId)?.until ?? null;
  }

  count(now: number): number {
    let resting = 0;
    for (const { until } of this.#rests.values()) if (until > now) resting++;
    return resting;
  }
}
