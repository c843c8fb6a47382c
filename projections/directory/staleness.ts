import { setTimeout as pause } from 'node:timers/promises';
import type { Position } from '../../schemas/event-envelope.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventFeed } from '../ports/event-feed.ts';

const CHECK_MS = 1_000;
const STALE_AFTER_MS = 3_000;

export interface StalenessOptions {
  readonly feed: Pick<EventFeed, 'head'>;
  readonly clock: Clock;
  /** How far the log has been followed. */
  readonly reached: () => Position;
  /** How often the log is asked where it ends, in milliseconds. */
  readonly checkMs: number | undefined;
  /** How long one may be behind the log before it counts, in milliseconds. */
  readonly staleAfterMs: number | undefined;
}

/**
 * Compares with the end of the log now and then, since a subscription that has broken says nothing by itself. Tells after each look since when
 * what was reached has been behind, or nobody could say, in milliseconds since the Unix epoch; `null`: it is current.
 */
export const watchStaleness = async (
  { feed, clock, reached, checkMs = CHECK_MS, staleAfterMs = STALE_AFTER_MS }: StalenessOptions,
  signal: AbortSignal,
  tell: (staleSince: number | null) => void,
): Promise<void> => {
  /** An end of the log that has not been reached yet, and since when that is known. */
  let pending: { readonly head: Position; readonly since: number } | null = null;
  let heardAt = clock.now();
  while (!signal.aborted) {
    const now = clock.now();
    const head = await Promise.race([feed.head().catch(() => null), pause(checkMs, null, { signal }).catch(() => null)]);
    if (head !== null) {
      heardAt = now;
      if (pending === null || reached() >= pending.head) pending = reached() >= head ? null : { head, since: now };
    }
    const behindSince = pending?.since ?? heardAt;
    tell(clock.now() - behindSince > staleAfterMs ? behindSince : null);
    await pause(checkMs, undefined, { signal }).catch(() => undefined);
  }
};
