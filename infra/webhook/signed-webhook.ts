import type { Webhook } from '../../commands/ports/webhook.ts';
import { guardedPost, type GuardedPostOptions } from './guarded-post.ts';

export interface SignedWebhookOptions extends Omit<GuardedPostOptions, 'timeoutMs'> {
  readonly url: URL;
  /** Shared with the receiver, who knows by it that the sender is this installation. */
  readonly secret: string;
  readonly timeoutMs?: number;
}

export interface ClosableWebhook extends Webhook {
  close(): Promise<void>;
}

/** Tells one address outside. */
export const signedWebhook = ({ url, secret, timeoutMs = 10_000, ...options }: SignedWebhookOptions): ClosableWebhook => {
  const guarded = guardedPost({ ...options, timeoutMs });
  return {
    send: async (id, body, signal) => {
      const posted = await guarded.post({ url, secret, id, body }, signal);
      switch (posted.kind) {
        case 'private':
          return `${posted.host} is in a private or reserved range`;
        case 'unreachable':
          return `the receiver could not be reached: ${posted.error instanceof Error ? posted.error.message : String(posted.error)}`;
        case 'answered':
          if (posted.status >= 200 && posted.status < 300) return null;
          return `the receiver answered ${posted.status}${posted.text === '' ? '' : `: ${posted.text}`}`;
      }
    },
    close: () => guarded.close(),
  };
};
