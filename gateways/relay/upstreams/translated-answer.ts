import type { UpstreamExchange, UpstreamFault, UpstreamHeaders } from '../../ports/upstream.ts';
import type { HubAnswer } from '../hub-answer.ts';
import type { HubEvents, HubListener } from '../hub-events.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { Interpreter } from './upstream-dialect.ts';

/** What an upstream says instead of what its dialect allows. */
export const GARBLED = 'garbled';

/** A stream in an upstream's dialect, told in the hub's piece by piece. */
export interface StreamTranslation {
  /** What a piece of the upstream's bytes comes to as whole events of the hub's, possibly nothing. Pieces are cut anywhere. */
  push(piece: Buffer): HubEvents | typeof GARBLED;
  /** What is left to say when the upstream's bytes have ended, whether or not it had come to its end: `[DONE]` only where it had. */
  end(): HubEvents;
}

/** How one upstream's answer to one call is told in the hub's form. */
export interface Translation {
  /** A whole answer that came with a status of success; `null` where it is none of the dialect's, an error's object where it is one of those. */
  answer(body: Buffer): HubAnswer | null;
  /** The body of an error with its status. Any bytes may come. */
  error(status: number, body: Buffer): Buffer;
  stream(): StreamTranslation;
  /** The status that the hub is to judge by, where the upstream's own words say more than its status does. */
  readonly statusOf?: (status: number, body: Buffer) => number;
  /** Headers that the hub reads, where the upstream says in the body of an error what others say in them. */
  readonly headersOf?: (status: number, body: Buffer) => UpstreamHeaders;
}

const JSON_TYPE = 'application/json';
const STREAM_TYPE = 'text/event-stream';

/** No error takes more; what is longer is cut, and is then one that says nothing. */
const ERROR_BYTES = 1024 * 1024;

/** Hears an upstream's dialect and tells the hub's. A whole body is told when all of it is there, a stream as it comes. */
export class TranslatedAnswer implements Interpreter {
  readonly #translation: Translation;
  readonly #streamed: boolean;
  readonly #limits: Pick<RelayLimits, 'answerBytes'>;
  readonly #listener: HubListener;
  #exchange: UpstreamExchange | null = null;
  #over = false;
  #status = 0;
  #headers: UpstreamHeaders = {};
  #stream: StreamTranslation | null = null;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(translation: Translation, streamed: boolean, limits: Pick<RelayLimits, 'answerBytes'>, listener: HubListener) {
    this.#translation = translation;
    this.#streamed = streamed;
    this.#limits = limits;
    this.#listener = listener;
  }

  begin(exchange: UpstreamExchange): void {
    this.#exchange = exchange;
    if (this.#over) exchange.abort();
  }

  headers(status: number, headers: UpstreamHeaders): void {
    this.#status = status;
    this.#headers = headers;
    // Only a plain JSON answer says for sure that it is no stream.
    if (!this.#streamed || status !== 200 || (headers['content-type'] ?? '').toLowerCase().startsWith(JSON_TYPE)) return;
    this.#stream = this.#translation.stream();
    this.#listener.headers(status, { ...headers, 'content-type': STREAM_TYPE });
  }

  data(chunk: Buffer): boolean {
    if (this.#over) return true;
    if (this.#stream !== null) {
      const events = this.#stream.push(chunk);
      if (events === GARBLED) {
        this.#giveUp({ kind: 'broken', message: 'the stream is none that can be read' });
        return true;
      }
      return events.length === 0 || this.#listener.data(events);
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > (this.#status === 200 ? this.#limits.answerBytes : ERROR_BYTES))
      this.#giveUp({ kind: 'broken', message: 'the answer is larger than any that is taken' });
    return true;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    const [only, ...more] = this.#chunks;
    if (this.#stream === null) return this.#tellWhole(only !== undefined && more.length === 0 ? only : Buffer.concat(this.#chunks));
    const rest = this.#stream.end();
    if (rest.length > 0) this.#listener.data(rest);
    this.#listener.end();
  }

  failed(fault: UpstreamFault): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener.failed(fault);
  }

  #tellWhole(body: Buffer): void {
    const status = this.#translation.statusOf?.(this.#status, body) ?? this.#status;
    const told = status >= 400 ? this.#translation.error(status, body) : (this.#translation.answer(body) ?? body);
    this.#listener.headers(status, { ...this.#headers, ...this.#translation.headersOf?.(status, body), 'content-type': JSON_TYPE });
    this.#listener.whole(told);
  }

  #giveUp(fault: UpstreamFault): void {
    this.#over = true;
    this.#exchange?.abort();
    this.#listener.failed(fault);
  }
}
