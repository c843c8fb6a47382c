import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call as the upstream got it. */
export interface UpstreamCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Answering = (res: ServerResponse, call: UpstreamCall) => void;

export interface EndpointUpstream {
  /** With `/v1`. */
  readonly baseUrl: string;
  readonly calls: readonly UpstreamCall[];
  /** How the address, with `/v1`, is answered from now on; without it there is nothing there. */
  on(path: string, answer: Answering): void;
  reset(): void;
  close(): Promise<void>;
}

export const json =
  (value: unknown, status = 200): Answering =>
  (res) => {
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(JSON.stringify(value));
  };

export const events =
  (...data: readonly unknown[]): Answering =>
  (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(data.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`).join(''));
  };

const bodyOf = async (req: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of req) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
};

/** A provider that says what a test told it to, address by address. */
export const startEndpointUpstream = async (): Promise<EndpointUpstream> => {
  const calls: UpstreamCall[] = [];
  const answers = new Map<string, Answering>();
  const server = createServer((req, res) => {
    void bodyOf(req).then(
      (body) => {
        const path = req.url ?? '';
        const call = { method: req.method ?? '', path, headers: req.headers, body };
        calls.push(call);
        (answers.get(path) ?? json({ error: { message: 'nothing here', type: 'invalid_request_error', code: null } }, 404))(res, call);
      },
      () => res.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    on: (path, answer) => void answers.set(path, answer),
    reset: () => {
      calls.length = 0;
      answers.clear();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
