import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';
import { monotonicMicros, stampsIn } from './stamp.ts';

/** Hears of every call of every connection. Times are microseconds. */
export interface CallListener {
  firstToken(waited: number): void;
  /** One token that was `transit` on its way from the upstream. */
  token(transit: number): void;
  answered(took: number): void;
  failed(why: string): void;
}

const RECONNECT_MS = 20;

/** One keep-alive connection that sends the same call over and over, each when the answer before is complete. */
export class LoadConnection {
  readonly #port: number;
  readonly #call: Buffer;
  readonly #streamed: boolean;
  readonly #listener: CallListener;
  #socket: Socket;
  #sentAt = 0;
  #tokens = 0;
  #finished = false;
  /** The unfinished last line of a stream. */
  #line = '';
  #closed = false;

  constructor(port: number, call: Buffer, streamed: boolean, listener: CallListener) {
    this.#port = port;
    this.#call = call;
    this.#streamed = streamed;
    this.#listener = listener;
    this.#socket = this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #open(): Socket {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true });
    const reader = new AnswerReader(
      { body: (text) => this.#readBody(text), end: (status, reusable) => this.#end(status, reusable) },
      this.#streamed,
    );
    let fault = 'connection closed';
    socket.once('connect', () => this.#send());
    socket.on('error', (error) => (fault = error.message));
    socket.on('data', (bytes) => {
      try {
        reader.read(bytes);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.once('close', () => {
      if (this.#closed) return;
      this.#listener.failed(fault);
      setTimeout(() => {
        if (!this.#closed) this.#socket = this.#open();
      }, RECONNECT_MS);
    });
    return socket;
  }

  #send(): void {
    this.#sentAt = monotonicMicros();
    this.#tokens = 0;
    this.#finished = !this.#streamed;
    this.#line = '';
    this.#socket.write(this.#call);
  }

  #readBody(text: string): void {
    const now = monotonicMicros();
    const lines = this.#line + text;
    const cut = lines.lastIndexOf('\n') + 1;
    this.#line = lines.slice(cut);
    const whole = lines.slice(0, cut);
    for (const madeAt of stampsIn(whole)) {
      if (this.#tokens === 0) this.#listener.firstToken(now - this.#sentAt);
      this.#tokens += 1;
      this.#listener.token(now - madeAt);
    }
    if (whole.includes('[DONE]')) this.#finished = true;
  }

  #end(status: number, reusable: boolean): void {
    if (status !== 200) this.#listener.failed(`HTTP ${status}`);
    else if (!this.#finished) this.#listener.failed('a stream that ended early');
    else this.#listener.answered(monotonicMicros() - this.#sentAt);
    if (reusable) this.#send();
    else this.#socket.destroy();
  }
}
