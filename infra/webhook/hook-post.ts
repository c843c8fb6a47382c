import type { HookPost } from '../../gateways/ports/hook-post.ts';
import { EgressRefused } from '../egress/guard.ts';
import { guardedPost, type GuardedPostOptions } from './guarded-post.ts';

export interface ClosableHookPost extends HookPost {
  close(): Promise<void>;
}

const GONE = 410;

/** A name in the system's own words for what went wrong: its sentences have addresses in them. */
const codeOf = (error: unknown): string => {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown';
};

/** Tells callers at the addresses that they gave. What a receiver answers is not repeated: it may quote the address. */
export const hookPost = ({
  timeoutMs = 5_000,
  ...options
}: Partial<GuardedPostOptions> & Omit<GuardedPostOptions, 'timeoutMs'>): ClosableHookPost => {
  const guarded = guardedPost({ ...options, timeoutMs });
  return {
    send: async ({ url, secret }, id, body, signal) => {
      const posted = await guarded.post({ url: new URL(url), secret, id, body, headers: { 'idempotency-key': id } }, signal);
      if (posted.kind === 'private') return { failure: 'The hook points to an address that is off limits.' };
      if (posted.kind === 'unreachable')
        return {
          failure:
            posted.error instanceof EgressRefused
              ? 'The hook points to an address that is off limits.'
              : `The hook could not be reached: ${codeOf(posted.error)}.`,
        };
      if (posted.status >= 200 && posted.status < 300) return 'taken';
      return posted.status === GONE ? 'gone' : { failure: `The hook answered ${posted.status}.` };
    },
    close: () => guarded.close(),
  };
};
