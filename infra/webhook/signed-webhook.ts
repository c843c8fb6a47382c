import { createHmac } from 'node:crypto';
import { isIP } from 'node:net';
import { Agent, request } from 'undici';
import type { Clock } from '../../commands/ports/clock.ts';
import type { Webhook } from '../../commands/ports/webhook.ts';
import type { EgressGuard } from '../egress/guard.ts';

export interface SignedWebhookOptions {
  readonly url: URL;
  /** Shared with the receiver, who knows by it that the sender is this installation. */
  readonly secret: string;
  readonly guard: Pick<EgressGuard, 'lookup' | 'allowsAddress'>;
  readonly clock: Clock;
  /** How long the receiver may take. */
  readonly timeoutMs?: number;
}

export interface ClosableWebhook extends Webhook {
  close(): Promise<void>;
}

/** Of what a receiver says of its trouble, enough to see what is wrong. */
const ANSWER_LENGTH = 300;

/**
 * The signature of a message as Standard Webhooks (version 1) has it: HMAC-SHA256 over id, time in seconds and body. A receiver that also looks at the
 * time cannot be fooled by a message that was sent before.
 */
export const webhookSignature = (secret: string, id: string, seconds: number, body: string): string =>
  `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`;

/** Posts to one address outside, where the egress rules allow, and follows no redirect. */
export const signedWebhook = ({ url, secret, guard, clock, timeoutMs = 10_000 }: SignedWebhookOptions): ClosableWebhook => {
  const agent = new Agent({
    connections: 4,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    connect: { timeout: timeoutMs, lookup: guard.lookup },
  });
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    send: async (id, body, signal) => {
      // Sockets do not look addresses up, so one in the URL would pass by the guard’s look-up unseen.
      if (isIP(host) !== 0 && !guard.allowsAddress(host)) return `${host} is in a private or reserved range`;
      const seconds = Math.floor(clock.now() / 1_000);
      try {
        const answer = await request(url, {
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
          },
          body,
        });
        if (answer.statusCode >= 200 && answer.statusCode < 300) {
          await answer.body.dump();
          return null;
        }
        let text = '';
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          text += chunk.toString('utf8');
          if (text.length >= ANSWER_LENGTH) break;
        }
        return `the receiver answered ${answer.statusCode}${text === '' ? '' : `: ${text.slice(0, ANSWER_LENGTH)}`}`;
      } catch (error) {
        return `the receiver could not be reached: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    close: () => agent.close(),
  };
};
