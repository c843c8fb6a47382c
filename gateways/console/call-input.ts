import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { keepableJson } from '../../domain/kernel/keepable-json.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/event-envelope.ts';
import { GatheredBody } from '../relay/bodies/gathered-body.ts';
import { weighJson } from '../relay/bodies/json-weight.ts';

/** Largest body that the console's API takes: a long price list fits. */
const MOST_BODY_BYTES = 2_097_152;

/** The value, or what is wrong with it and where. */
export const parsePart = <Schema extends z.ZodType>(schema: Schema, value: unknown): { readonly value: z.output<Schema> } | Refusal => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data };
  const [issue] = parsed.error.issues;
  const param = issue?.path.join('.') ?? '';
  const message = issue?.message ?? 'The request is not valid.';
  return refuse('invalid_request', param === '' ? message : `${param}: ${message}`, param === '' ? {} : { param });
};

/** The query string, the last of repeated names. */
export const queryOf = (url: string): Readonly<Record<string, string>> => {
  const at = url.indexOf('?');
  return at < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(at + 1)));
};

/** The JSON body; `undefined` when there is none. */
export const readJson = async (request: IncomingMessage): Promise<{ readonly value: unknown } | Refusal> => {
  const body = new GatheredBody();
  // What is too large is still coming when it is refused; the connection must outlive that by an answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    if (body.bytes + chunk.length > MOST_BODY_BYTES) return refuse('body_too_large', `The body may have ${MOST_BODY_BYTES} bytes.`);
    body.push(chunk);
  }
  if (body.bytes === 0) return { value: undefined };
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') return refuse('unsupported_media_type');
  const whole = body.whole();
  const weight = weighJson(whole);
  if (isRefusal(weight)) return weight;
  if (!isUtf8(whole)) return refuse('invalid_json', 'The body is not valid UTF-8.');
  const json = whole.toString('utf8');
  if (keepableJson(json) !== json) return refuse('invalid_json', 'The body has what is no text: NUL, or half of a surrogate pair.');
  try {
    return { value: JSON.parse(json) as unknown };
  } catch {
    return refuse('invalid_json');
  }
};

/** The revision in `If-Match: "7"`, -1 for nothing yet; `undefined` when the caller minds none. */
export const expectedRevisionOf = (request: IncomingMessage): { readonly value: Revision | undefined } | Refusal => {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return { value: undefined };
  const match = /^(?:W\/)?"?(-1|\d{1,9})"?$/.exec(header);
  return match === null
    ? refuse('invalid_request', 'If-Match takes the revision that you saw, such as "7".', { param: 'If-Match' })
    : { value: Number(match[1]) };
};

/** The client's own name for what it asks; `undefined` when it gave none. */
export const idempotencyKeyOf = (request: IncomingMessage): { readonly value: string | undefined } | Refusal => {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return { value: undefined };
  return typeof header === 'string' && /^[\x21-\x7e]{1,80}$/.test(header)
    ? { value: header }
    : refuse('invalid_request', 'Idempotency-Key takes 1 to 80 printable characters.', { param: 'Idempotency-Key' });
};
