import { isIP } from 'node:net';
import type { Agent } from 'undici';
import type { Clock } from '../../commands/ports/clock.ts';
import type { EgressGuard } from '../egress/guard.ts';
import { webhookSignature } from './webhook-signature.ts';

export interface GuardedPostOptions {
  readonly guard: Pick<EgressGuard, 'lookup' | 'allowsAddress'>;
  readonly clock: Clock;
  /** How long a receiver may take. */
  readonly timeoutMs: number;
}

export interface PostedMessage {
  readonly url: URL;
  readonly secret: string;
  readonly id: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `text`: the beginning of the answer, where it is not a success. */
export type Posted =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'private'; readonly host: string }
  | { readonly kind: 'unreachable'; readonly error: unknown };

export interface GuardedPost {
  post(message: PostedMessage, signal: AbortSignal): Promise<Posted>;
  close(): Promise<void>;
}

/** Of what a receiver says of its trouble, enough to see what is wrong. */
const ANSWER_LENGTH = 300;

/** Posts signed messages to addresses outside, where the egress rules allow, and follows no redirect. */
export const guardedPost = ({ guard, clock, timeoutMs }: GuardedPostOptions): GuardedPost => {
  let agent: Agent | null = null;
  return {
    post: async ({ url, secret, id, body, headers = {} }, signal) => {
      const host = url.hostname.replace(/^\[|\]$/g, '');
      // Sockets do not look addresses up, so one in the URL would pass by the guard’s look-up unseen.
      if (isIP(host) !== 0 && !guard.allowsAddress(host)) return { kind: 'private', host };
      const seconds = Math.floor(clock.now() / 1_000);
      // Loaded where it is used only: most processes post nothing.
      const undici = await import('undici');
      agent ??= new undici.Agent({
        connections: 4,
        pipelining: 1,
        keepAliveTimeout: 4_000,
        connect: { timeout: timeoutMs, lookup: guard.lookup },
      });
      try {
        const answer = await undici.request(url, {
          method: 'POST',
          dispatcher: agent,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
          headers: {
            'content-type': 'application/json',
            'user-agent': 'oblivious',
            'webhook-id': id,
            'webhook-timestamp': String(seconds),
            'webhook-signature': webhookSignature(secret, id, seconds, body),
            ...headers,
          },
          body,
        });
        const { statusCode: status } = answer;
        if (status >= 200 && status < 300) {
          await answer.body.dump();
          return { kind: 'answered', status, text: '' };
        }
        let text = '';
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          text += chunk.toString('utf8');
          if (text.length >= ANSWER_LENGTH) break;
        }
        return { kind: 'answered', status, text: text.slice(0, ANSWER_LENGTH) };
      } catch (error) {
        return { kind: 'unreachable', error };
      }
    },
    close: () => agent?.close() ?? Promise.resolve(),
  };
};
