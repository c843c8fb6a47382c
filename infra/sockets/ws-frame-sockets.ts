import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket, WebSocketServer, type ClientOptions, type RawData } from 'ws';
import type { Frame, FrameListener, FrameSocket, FrameSockets, SocketOpened, SocketRequest } from '../../gateways/ports/frame-sockets.ts';
import type { UpstreamFault } from '../../gateways/ports/upstream.ts';
import type { EgressGuard } from '../egress/guard.ts';
import { upstreamConnector } from '../upstream/upstream-connector.ts';

/** How long a goodbye may go unanswered. */
const CLOSE_MS = 2_000;

/** What is read of an answer that is no socket: an error. */
const ANSWER_BYTES = 64 * 1024;
const ANSWER_MS = 5_000;

const bufferOf = (data: RawData): Buffer => (Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data));

class WsFrameSocket implements FrameSocket {
  readonly #ws: WebSocket;
  #listener: FrameListener | null = null;
  #why = '';
  #closing: NodeJS.Timeout | null = null;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    // A socket that nobody listens to yet must not lose what comes.
    ws.pause();
    ws.on('error', (error) => {
      this.#why = error.message;
    });
  }

  get unsentBytes(): number {
    return this.#ws.bufferedAmount;
  }

  listen(listener: FrameListener): void {
    const ws = this.#ws;
    this.#listener = listener;
    ws.on('message', (data, isBinary) => {
      listener.heard();
      listener.frame({ data: bufferOf(data), isBinary });
    });
    ws.on('pong', () => listener.heard());
    ws.on('ping', () => listener.heard());
    ws.on('close', (code, reason) => {
      if (this.#closing !== null) clearTimeout(this.#closing);
      listener.closed(code, reason.length > 0 ? reason.toString('utf8') : this.#why);
    });
    if (ws.readyState === WebSocket.CLOSED) queueMicrotask(() => listener.closed(1006, this.#why));
    else ws.resume();
  }

  send({ data, isBinary }: Frame): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    this.#ws.send(data, { binary: isBinary }, () => this.#listener?.sent());
  }

  ping(): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  close(code: number, reason: string): void {
    if (this.#closing !== null || this.#ws.readyState === WebSocket.CLOSED) return;
    // The other side's goodbye is read only while we read.
    this.#ws.resume();
    this.#ws.close(code, reason);
    this.#closing = setTimeout(() => this.#ws.terminate(), CLOSE_MS);
  }

  cut(): void {
    this.#ws.terminate();
  }
}

const faultOf = (error: Error & { readonly code?: unknown }): UpstreamFault => ({
  kind: error.code === 'EEGRESS' ? 'blocked' : 'unreachable',
  message: typeof error.code === 'string' ? `${error.code}: ${error.message}` : error.message,
});

/** What came in the place of a socket. */
const answerOf = (response: IncomingMessage): Promise<SocketOpened> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const done = (): void => {
      clearTimeout(timer);
      response.destroy();
      const headers: Record<string, string | undefined> = {};
      for (const name of ['retry-after', 'retry-after-ms'])
        if (typeof response.headers[name] === 'string') headers[name] = response.headers[name];
      resolve({ kind: 'answered', status: response.statusCode ?? 502, headers, body: Buffer.concat(chunks) });
    };
    const timer = setTimeout(done, ANSWER_MS);
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= ANSWER_BYTES) chunks.push(chunk);
      else done();
    });
    response.on('end', done);
    response.on('error', done);
  });

const open = (connect: ReturnType<typeof upstreamConnector>, request: SocketRequest): Promise<SocketOpened> =>
  new Promise((resolve) => {
    const { origin, path, headers, frameBytes, withinMs } = request;
    const options: ClientOptions = {
      headers,
      maxPayload: frameBytes,
      perMessageDeflate: false,
      followRedirects: false,
      handshakeTimeout: withinMs,
      // Called with a callback, as node:http does with one that connects in its own time.
      createConnection: ((_options: unknown, callback: (error: Error | null, socket: Socket | null) => void) =>
        void connect(request, callback)) as unknown as ClientOptions['createConnection'],
    };
    const ws = new WebSocket(`${origin.replace(/^http/, 'ws')}${path}`, options);
    const late = setTimeout(() => {
      resolve({ kind: 'fault', fault: { kind: 'unreachable', message: 'it did not open in time' } });
      ws.terminate();
    }, withinMs);
    const failed = (error: Error): void => {
      clearTimeout(late);
      resolve({ kind: 'fault', fault: faultOf(error) });
    };
    ws.on('error', failed);
    ws.on('unexpected-response', (asked, response) => {
      clearTimeout(late);
      void answerOf(response).then((opened) => {
        asked.destroy();
        resolve(opened);
      });
    });
    ws.on('open', () => {
      clearTimeout(late);
      const socket = new WsFrameSocket(ws);
      ws.off('error', failed);
      resolve({ kind: 'open', socket });
    });
  });

/** WebSockets by the package `ws`. Frames are never compressed: what they carry is packed already, and a context for each socket takes hundreds of kilobytes. */
export const wsFrameSockets = ({
  guard,
  connectMs = 10_000,
}: {
  readonly guard: Pick<EgressGuard, 'lookup' | 'allowsAddress'>;
  readonly connectMs?: number;
}): FrameSockets => {
  const connect = upstreamConnector(guard, connectMs);
  return {
    open: (request) => open(connect, request),
    accept: ({ req, socket, head, protocol, headers, frameBytes }) => {
      const server = new WebSocketServer({
        noServer: true,
        clientTracking: false,
        perMessageDeflate: false,
        maxPayload: frameBytes,
        handleProtocols: () => protocol ?? false,
      });
      server.on('headers', (lines: string[]) => {
        for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
      });
      let accepted: FrameSocket | null = null;
      // Calls back at once, or not at all where the client has gone.
      server.handleUpgrade(req, socket, head, (ws) => {
        accepted = new WsFrameSocket(ws);
      });
      return accepted;
    },
  };
};
