import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it came. */
export interface MockRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: Readonly<Record<string, unknown>>;
}

/** What a mock of a provider answers. Pieces go out one by one, each when the one before it has left. */
export interface MockReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly (string | Buffer)[];
  /** Closes the connection behind the last piece without ending the answer. */
  readonly cut?: true;
  /** Sends no more and stays open. */
  readonly hang?: true;
}

export interface MockServer {
  readonly url: string;
  readonly requests: MockRequest[];
  /** Requests whose client went before their answer was whole. */
  readonly left: number;
  /** Answers the next request instead of the mock. */
  readonly next: MockReply[];
  close(): Promise<void>;
}

export const jsonReply = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): MockReply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  pieces: [JSON.stringify(value)],
});

export const eventReply = (pieces: readonly (string | Buffer)[], more: Pick<MockReply, 'cut' | 'hang'> = {}): MockReply => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream; charset=utf-8' },
  pieces,
  ...more,
});

const parsed = (body: Buffer): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(body.toString('utf8')) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
};

const send = async (response: ServerResponse, { status, headers, pieces, cut, hang }: MockReply): Promise<void> => {
  response.writeHead(status, headers);
  for (const piece of pieces) {
    await new Promise<void>((resolve) => response.write(piece, () => resolve()));
    // Another turn of the loop, so that each piece is a read of its own.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  if (cut === true) response.destroy();
  else if (hang !== true) response.end();
};

/** An HTTP server on loopback that answers as `answer` says, and remembers what it was asked. */
export const startMockServer = async (answer: (request: MockRequest) => MockReply): Promise<MockServer> => {
  const requests: MockRequest[] = [];
  const next: MockReply[] = [];
  let left = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('close', () => {
      if (!response.writableFinished) left++;
    });
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method = '', url: path = '', headers } = request;
      const asked = { method, path, headers, body, json: parsed(body) };
      requests.push(asked);
      void send(response, next.shift() ?? answer(asked));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    next,
    get left() {
      return left;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
