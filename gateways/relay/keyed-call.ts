import { createHash } from 'node:crypto';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { sendHead } from './answer.ts';
import type { Call } from './call.ts';
import { wordsOf } from './endpoints/form.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import { IDEMPOTENCY_KEY, type KeptAnswer } from './kept-answers.ts';
import type { UnparsedCall } from './unparsed-call.ts';

/** By what the same call is known again. */
export interface Keyed {
  readonly key: string;
  /** Of what is asked. */
  readonly hash: string;
}

/** Reads the key that a client sent with its call, and sums up what it asks. */
export const keyedBy = (
  call: Call,
  endpoint: ParsedRequest['endpoint'],
  key: unknown,
  { body, task }: UnparsedCall,
  parsed: ParsedRequest,
): Keyed | Refusal => {
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key))
    return refuse('invalid_request', 'An Idempotency-Key has 1 to 255 printable characters without spaces.');
  // The same words in another dialect are answered in another one, and some addresses name the model in place of the body.
  const saysAll = call.dialect.name === 'openai' && task === null && !call.route.includes('{model}');
  const form = saysAll ? endpoint : `${call.dialect.name} ${call.req.path}`;
  const sum = createHash('sha256').update(`${form}\n`);
  const parts = 'form' in parsed ? (parsed.form?.parts ?? null) : 'upload' in parsed ? parsed.upload.parts : null;
  const whole = call.room?.elision?.digest ?? body;
  for (const piece of parts === null ? [whole] : wordsOf(parts, body)) sum.update(piece);
  return { key, hash: sum.digest('hex') };
};

/** Answers a call as the one before it with the same key was answered. */
export const replay = (call: Call, { status, headers, body }: KeptAnswer): void => {
  call.replayed = true;
  if (call.clientGone) return;
  sendHead(call, status, [...headers, 'content-length', String(body.length), 'x-oblivious-replayed', 'true']);
  call.res.end(body);
};
