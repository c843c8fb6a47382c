import { createHmac } from 'node:crypto';

/**
 * The signature of a message as Standard Webhooks (version 1) has it: HMAC-SHA256 over id, time in seconds and body. A receiver that also looks at the
 * time cannot be fooled by a message that was sent before.
 */
export const webhookSignature = (secret: string, id: string, seconds: number, body: string): string =>
  `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`;
