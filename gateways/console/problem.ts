import type { ServerResponse } from 'node:http';
import { errorTable, type Refusal } from '../../schemas/errors.ts';

/** A refusal in the API's own shape. */
export const sendProblem = (response: ServerResponse, { refused, message, param, retryAfterSeconds }: Refusal, requestId: string): void => {
  response.statusCode = errorTable[refused].status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
  // Nobody reads what is left of a body that was too large; a next request behind it would never be seen.
  if (refused === 'body_too_large') response.setHeader('connection', 'close');
  response.end(JSON.stringify({ error: { code: refused, message, ...(param === undefined ? {} : { param }), requestId } }));
};
