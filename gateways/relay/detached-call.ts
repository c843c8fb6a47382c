import type { Request, Response } from 'express';
import { Call } from './call.ts';

/** What a call whose client does not wait was answered with, where that was no stream. */
export interface Unheard {
  readonly status: number;
  readonly body: Buffer;
}

/** Stands in for a client that does not wait: takes all that is sent, and keeps what is sent in one piece. */
export class NoClient {
  headersSent = false;
  statusCode = 200;
  destroyed = false;
  writableFinished = false;
  closed = false;
  chunkedEncoding = false;
  body: Buffer = Buffer.alloc(0);

  writeHead(status: number): this {
    this.headersSent = true;
    this.statusCode = status;
    return this;
  }
  write(): boolean {
    return true;
  }
  end(body?: Buffer | string): this {
    if (body !== undefined) this.body = Buffer.from(body);
    this.writableFinished = true;
    return this;
  }
  destroy(): this {
    this.destroyed = true;
    return this;
  }
  on(): this {
    return this;
  }
  off(): this {
    return this;
  }
}

/** The same call, as it goes on without its client. */
export const detachedCall = (client: Call): { readonly call: Call; readonly unheard: () => Unheard } => {
  // Its connection may close, and be used for other requests; what was asked stays readable.
  const req = Object.create(client.req, { socket: { value: { destroyed: false } } }) as Request;
  const res = new NoClient();
  const { route, dialect, requestId, startedAt, begun } = client;
  const call = new Call(req, res as unknown as Response, route, dialect, requestId, startedAt, begun);
  call.caller = client.caller;
  return { call, unheard: () => ({ status: res.statusCode, body: res.body }) };
};
