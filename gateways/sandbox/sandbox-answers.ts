import type { ServerResponse } from 'node:http';

/** A whole answer in JSON. */
export const send = (res: ServerResponse, status: number, value: unknown): void => {
  const body = JSON.stringify(value);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
};

export const sendBytes = (res: ServerResponse, contentType: string, body: Buffer | string): void => {
  res.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  res.end(body);
};

/** Events of a stream, all at once. */
export const sendEvents = (res: ServerResponse, events: readonly { readonly type: string }[]): void => {
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  res.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
};

/** An error that says whose it is. */
export const refuse = (res: ServerResponse, status: number, message: string, code: string | null = null): void =>
  send(res, status, { error: { message: `[sandbox] ${message}`, type: 'invalid_request_error', param: null, code } });
