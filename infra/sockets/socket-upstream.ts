import type { FrameListener, FrameSocket, FrameSockets } from '../../gateways/ports/frame-sockets.ts';
import type { SocketTalk, Upstream, UpstreamExchange, UpstreamListener, UpstreamRequest } from '../../gateways/ports/upstream.ts';

/** Until a socket is open. */
const OPEN_MS = 10_000;

/** Said on leaving, where the upstream has said all there was. */
const NORMAL = 1_000;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** A message of JSON as one event: what breaks its lines can only stand between its tokens. */
const eventOf = (message: Buffer): Buffer => {
  const line = Buffer.from(message);
  for (let at = 0; at < line.length; at++) if (line[at] === LINE_FEED || line[at] === CARRIAGE_RETURN) line[at] = SPACE;
  return Buffer.concat([Buffer.from('data: '), line, Buffer.from('\n\n')]);
};

const bytesOf = async (body: UpstreamRequest['body']): Promise<Buffer> =>
  body === null || Buffer.isBuffer(body) ? (body ?? Buffer.alloc(0)) : Buffer.concat((await body.toArray()) as Buffer[]);

/** One call over a socket of its own, told as if it had been asked by HTTP. */
class SocketExchange implements UpstreamExchange, FrameListener {
  readonly #talk: SocketTalk;
  readonly #listener: UpstreamListener;
  #socket: FrameSocket | null = null;
  #isOver = false;
  #hasBegun = false;

  constructor(talk: SocketTalk, listener: UpstreamListener) {
    this.#talk = talk;
    this.#listener = listener;
  }

  async run(sockets: Pick<FrameSockets, 'open'>, request: UpstreamRequest): Promise<void> {
    const { origin, path, headers, trusted, proxy, body } = request;
    const message = await bytesOf(body);
    if (this.#isOver) return;
    const target = { origin, path, headers, trusted, ...(proxy === undefined ? {} : { proxy }) };
    const opened = await sockets.open({ ...target, frameBytes: this.#talk.frameBytes, withinMs: OPEN_MS });
    if (opened.kind === 'open') {
      if (this.#isOver) return opened.socket.cut();
      this.#socket = opened.socket;
      opened.socket.listen(this);
      return opened.socket.send({ data: message, isBinary: false });
    }
    if (this.#isOver) return;
    this.#isOver = true;
    if (opened.kind === 'fault') return this.#listener.failed(opened.fault);
    // Whoever answers a handshake with a success has not answered the call.
    this.#tellWhole(opened.status < 400 ? 502 : opened.status, opened.headers, opened.body);
  }

  frame({ data }: { readonly data: Buffer }): void {
    if (this.#isOver) return;
    const is = this.#talk.judge(data);
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      if (typeof is === 'object') {
        this.#leave();
        return this.#tellWhole(is.status, {}, data);
      }
      this.#listener.headers(200, { 'content-type': 'text/event-stream' });
    }
    const goOn = this.#listener.data(eventOf(data));
    // The listener may have ended it.
    if (this.#isOver) return;
    if (is !== 'more') {
      this.#leave();
      this.#listener.end();
    } else if (!goOn) this.#socket?.pause();
  }

  heard(): void {
    // Who is there says nothing yet: silence is judged by what is told.
  }

  sent(): void {
    // There is one message, and nothing waits behind it.
  }

  closed(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.failed({ kind: 'broken', message: `the socket closed before the answer was whole (${code})${reason && `: ${reason}`}` });
  }

  failed(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket?.cut();
    this.#listener.failed({ kind: 'broken', message: error instanceof Error ? error.message : 'it could not be sent' });
  }

  resume(): void {
    if (!this.#isOver) this.#socket?.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket?.cut();
  }

  #leave(): void {
    this.#isOver = true;
    this.#socket?.close(NORMAL, '');
  }

  #tellWhole(status: number, headers: Readonly<Record<string, string | undefined>>, body: Buffer): void {
    this.#listener.headers(status, { ...headers, 'content-type': 'application/json' });
    this.#listener.data(body);
    this.#listener.end();
  }
}

/** The same way to upstreams, by which those can be asked too that speak over WebSockets: under the same rules of egress, through the same proxies. */
export const withSockets = <Way extends Upstream>(upstream: Way, sockets: Pick<FrameSockets, 'open'>): Way => ({
  ...upstream,
  send: (request: UpstreamRequest, listener: UpstreamListener) => {
    const { socket } = request;
    if (socket === undefined) return upstream.send(request, listener);
    const exchange = new SocketExchange(socket, listener);
    exchange.run(sockets, request).catch((error: unknown) => exchange.failed(error));
    return exchange;
  },
});
