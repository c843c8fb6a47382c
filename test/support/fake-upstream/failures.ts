import type { FakeScript } from './script.ts';

interface ErrorObject {
  readonly message: string;
  readonly type: string;
  readonly param: null;
  readonly code: string | null;
}

const KNOWN: Readonly<Record<number, { type: string; code: string | null; message: string }>> = {
  400: { type: 'invalid_request_error', code: null, message: 'The fake provider refuses this request.' },
  401: { type: 'invalid_request_error', code: 'invalid_api_key', message: 'Incorrect API key provided: sk-fake****.' },
  403: { type: 'insufficient_permissions', code: null, message: 'The fake key may not do this.' },
  404: { type: 'invalid_request_error', code: 'model_not_found', message: 'The fake model does not exist.' },
  413: { type: 'invalid_request_error', code: 'context_length_exceeded', message: 'The fake prompt is too long.' },
  429: { type: 'requests', code: 'rate_limit_exceeded', message: 'Rate limit reached at the fake provider.' },
  500: { type: 'server_error', code: null, message: 'The fake provider had an error.' },
  503: { type: 'server_error', code: null, message: 'The fake provider is overloaded.' },
};

/** An error in OpenAI's shape. */
export function errorBody(status: number, code?: string): string {
  const known = KNOWN[status] ?? { type: 'server_error', code: null, message: `The fake provider answers ${status}.` };
  const error: ErrorObject = { message: known.message, type: known.type, param: null, code: code ?? known.code };
  return JSON.stringify({ error });
}

/** `Retry-After` as the script wants it written, from the time `now` in milliseconds. */
export function retryAfter(script: FakeScript, now: number): string | undefined {
  if (script.retryAfter === undefined) return undefined;
  return script.retryAs === 'date' ? new Date(now + script.retryAfter * 1000).toUTCString() : String(script.retryAfter);
}

/** Deterministic bytes that are neither UTF-8 nor JSON nor an event. */
export function garbage(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 197 + 131) & 0xff));
}
