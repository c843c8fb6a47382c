import { WebSocket, type ClientOptions } from 'ws';

type Event = Readonly<Record<string, unknown>>;

/** A client of the realtime API that keeps what it hears, and waits for what a test wants to hear. */
export class RealtimeClient {
  readonly socket: WebSocket;
  readonly events: Event[] = [];
  readonly raw: { readonly data: Buffer; readonly isBinary: boolean }[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  /** The plain answer that came in the place of a socket. */
  answer: { readonly status: number; readonly body: string } | null = null;
  #heard: () => void = () => undefined;

  constructor(url: string, options: ClientOptions = {}, protocols: readonly string[] = []) {
    this.socket = new WebSocket(url, [...protocols], options);
    this.socket.on('message', (data, isBinary) => {
      this.raw.push({ data: data as Buffer, isBinary });
      if (!isBinary) this.events.push(JSON.parse((data as Buffer).toString('utf8')) as Event);
      this.#heard();
    });
    this.socket.on('error', () => this.#heard());
    this.socket.on('unexpected-response', (_req, res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => {
        this.answer = { status: res.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
        this.#heard();
      });
    });
    this.socket.on('open', () => this.#heard());
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString('utf8') };
      this.#heard();
    });
  }

  send(event: Event): void {
    this.socket.send(JSON.stringify(event));
  }

  types(): readonly string[] {
    return this.events.map(({ type }) => String(type));
  }

  count(type: string): number {
    return this.types().filter((each) => each === type).length;
  }

  /** The code of the first error that was heard. */
  get errorCode(): unknown {
    const error = this.events.find(({ type }) => type === 'error')?.['error'] as Event | undefined;
    return error?.['code'];
  }

  /** Resolves when it holds: looked at whenever something is heard, and now and then. */
  async until(what: () => boolean): Promise<void> {
    while (!what()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 20);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
