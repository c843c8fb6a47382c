import { refuse, type ErrorCode, type Refusal } from '../../schemas/errors.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { Route } from './route.ts';

/** One call's tries: what has failed, and what that says to the client in the end. */
export class Tries {
  count = 0;
  billed = false;
  last: { readonly code: ErrorCode; readonly waitMs: number | null } | null = null;
  onlyLimited = true;

  fail(code: ErrorCode, waitMs: number | null = null): void {
    this.last = { code, waitMs };
    if (code !== 'upstream_rate_limited') this.onlyLimited = false;
  }
}

/** What a call is refused with after all its tries; with how long to wait, where that is known. */
export const finalRefusal = ({ states }: Pick<RelayDeps, 'states'>, route: Route, tries: Tries): Refusal => {
  const retryAfterSeconds = (waitMs: number | null): number =>
    waitMs === null ? states.secondsUntilReady(route.channels) : Math.max(1, Math.ceil(waitMs / 1_000));
  if (tries.last === null) return refuse('no_channel', undefined, { retryAfterSeconds: retryAfterSeconds(null) });
  const { code, waitMs } = tries.last;
  if (code === 'upstream_rate_limited' && tries.onlyLimited)
    return refuse('upstream_rate_limited', undefined, { retryAfterSeconds: retryAfterSeconds(waitMs) });
  return code === 'upstream_rate_limited' ? refuse('upstream_failed') : refuse(code);
};
