import { errorTable, refuse, type Refusal } from '../../schemas/errors.ts';
import { endUnread } from '../operations/end-unread.ts';
import type { Call } from './call.ts';

/** Header names and values in turn: the form that node:http sends without making another of it. */
export type FlatHeaders = readonly string[];

/** Codes on which the official clients would try again by themselves, though trying again cannot help. */
const FUTILE: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'cap_reached',
  'key_exhausted',
  'idempotency_conflict',
  'idempotency_spent',
]);

/** What a page in a browser may read besides the body; sent only to those that say they are one. */
const CROSS_ORIGIN: FlatHeaders = [
  'access-control-allow-origin',
  '*',
  'access-control-expose-headers',
  'x-request-id, x-oblivious-cost, x-oblivious-channel, x-oblivious-replayed, x-oblivious-estimated, retry-after',
];

export const sendHead = (call: Call, status: number, headers: FlatHeaders): void => {
  const all = [...headers];
  for (const name of call.dialect.requestIdHeaders) all.push(name, call.requestId);
  if (call.limitHeaders !== null) all.push(...call.limitHeaders);
  if (call.req.headers.origin !== undefined) all.push(...CROSS_ORIGIN);
  call.res.writeHead(status, all);
};

/** A body that nobody is going to read is read and dropped by node:http, unless it is not worth that. */
const DROPPED_BYTES = 1024 * 1024;

const isLargeUnread = ({ req }: Call): boolean =>
  !req.complete && (req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > DROPPED_BYTES);

/** A whole answer, headers and body in one write. */
export const sendBody = (call: Call, status: number, contentType: string, body: Buffer | string, headers: FlatHeaders = []): void => {
  const { res } = call;
  if (res.headersSent || call.clientGone) {
    res.destroy();
    return;
  }
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  sendHead(call, status, ['content-type', contentType, 'content-length', String(length), ...headers]);
  if (call.req.method === 'HEAD') res.end();
  else if (isLargeUnread(call)) endUnread(call.req, res, body);
  else {
    res.end(body);
    // A body that somebody began to read is dropped by nobody else, and the next request of the connection stands behind it.
    if (!call.req.complete) call.req.resume();
  }
};

export const sendJson = (call: Call, status: number, value: unknown): void =>
  sendBody(call, status, 'application/json', JSON.stringify(value));

/** Answers with a refusal, and remembers it for the log. */
export const sendRefusal = (call: Call, refusal: Refusal, headers: FlatHeaders = []): void => {
  call.errorCode = refusal.refused;
  const more = [...headers];
  if (refusal.retryAfterSeconds !== undefined) more.push('retry-after', String(refusal.retryAfterSeconds));
  if (FUTILE.has(refusal.refused)) more.push('x-should-retry', 'false');
  if (isLargeUnread(call)) more.push('connection', 'close');
  sendBody(call, errorTable[refusal.refused].status, 'application/json', call.dialect.errorBody(refusal, call.requestId), more);
};

/** A bug: the client learns the request id, the operator's log the rest. */
export const sendInternal = (call: Call, cause: unknown): void => {
  call.detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  sendRefusal(call, refuse('internal'));
};
