import type { ServerResponse } from 'node:http';
import { endUnread } from '../operations/end-unread.ts';
import { errorTable, type Refusal } from '../../schemas/errors.ts';

/** A refusal in the API's own shape. */
export const sendProblem = (response: ServerResponse, { refused, message, param, retryAfterSeconds }: Refusal, requestId: string): void => {
  response.statusCode = errorTable[refused].status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
  const body = JSON.stringify({ error: { code: refused, message, ...(param === undefined ? {} : { param }), requestId } });
  if (refused !== 'body_too_large') return void response.end(body);
  // Nobody reads what is left of it; a next request behind it would never be seen.
  response.setHeader('connection', 'close');
  response.setHeader('content-length', Buffer.byteLength(body));
  endUnread(response.req, response, body);
};
