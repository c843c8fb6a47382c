import type { Request } from 'express';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Call } from '../call.ts';
import { readBody } from '../read-body.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { PassedAddress } from './passed-address.ts';

const JSON_BODY = /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i;

export const saysJson = ({ headers }: Request): boolean => JSON_BODY.test(headers['content-type'] ?? '');

/** The body of a call that makes something, held where anything depends on what is in it. `null`: it comes by itself. `left`: the client did. */
export const receive = async (
  limits: RelayLimits,
  { req, room }: Call,
  { provider }: PassedAddress,
): Promise<Buffer | Refusal | 'left' | null> => {
  const isJson = saysJson(req);
  const hasNone =
    req.headers['content-length'] === '0' || (req.headers['content-length'] ?? req.headers['transfer-encoding']) === undefined;
  if (hasNone) return Buffer.alloc(0);
  const isHeld = isJson || provider.auth.kind === 'aws' || req.headers['idempotency-key'] !== undefined;
  if (!isHeld) {
    const encoding = req.headers['content-encoding'];
    return encoding === undefined || encoding === 'identity' ? null : refuse('unsupported_media_type', 'Only JSON can be sent packed.');
  }
  return (await readBody(req, limits.bodyBytes, isJson ? 'json' : 'any', { room })) ?? 'left';
};
