import type { Told } from '../../domain/dialects/chat/told.ts';
import type { UpstreamExchange, UpstreamFault, UpstreamHeaders } from '../ports/upstream.ts';
import type { Interruptible, Interruption } from './call.ts';
import type { HubAnswer } from './hub-answer.ts';
import { bytesOf, isBytes, sizeOf, type HubEvents, type HubListener } from './hub-events.ts';
import { dataOf, EventSplitter, forEachEvent, isDone } from './sse.ts';
import type { AnswerForm } from './endpoints/endpoint.ts';
import type { Watched } from './watch.ts';

/** What comes of sending a request, up to the moment from which there is no way back. */
export type Opened =
  /** A whole body: a plain answer, or an error of any kind. */
  | { readonly kind: 'body'; readonly status: number; readonly headers: UpstreamHeaders; readonly body: HubAnswer }
  /** A stream whose first event has come and is none of an error, or whose upstream is silent for so long that it has to be begun. */
  | { readonly kind: 'stream'; readonly headers: UpstreamHeaders; readonly source: StreamSource }
  /** The first event of the stream was an error. */
  | { readonly kind: 'error_event'; readonly data: string }
  | { readonly kind: 'garbled'; readonly why: string }
  | { readonly kind: 'timed_out' }
  /** `accepted`: the upstream had begun to answer, so it has read the prompt. */
  | { readonly kind: 'interrupted'; readonly accepted: boolean }
  | { readonly kind: 'fault'; readonly fault: UpstreamFault };

/** Hears the rest of a stream. */
export interface StreamSink {
  /** False asks for a pause. */
  data(events: HubEvents): boolean;
  end(): void;
  failed(fault: UpstreamFault): void;
}

export interface StreamSource {
  /** Hands over what has come so far, and from then on everything. */
  attach(sink: StreamSink): void;
  resume(): void;
  abort(): void;
}

export interface OpeningLimits {
  readonly answers: AnswerForm;
  readonly streamed: boolean;
  /** The upstream bills the whole stream even if nobody reads it: once it has begun, a client that leaves does not end it. */
  readonly readOn: boolean;
  /** On the stopwatch. */
  readonly begun: number;
  /** Until a plain answer is whole, or a stream's first event has come. */
  readonly withinMs: number;
  /** When a stream is begun although its upstream has sent nothing but headers. */
  readonly heartbeatMs: number;
  readonly answerBytes: number;
  readonly eventBytes: number;
}

/** How much of a body of an error is of interest. */
const ERROR_BYTES = 1024 * 1024;

/** What may wait between a stream's first event and its reader. */
const WAITING_BYTES = 256 * 1024;

const isError = (value: object): boolean => 'error' in value && value.error !== null && value.error !== undefined;

const isErrorEvent = (data: string): boolean | 'garbled' => {
  if (isDone(data)) return false;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? isError(value) : 'garbled';
  } catch {
    return 'garbled';
  }
};

/**
 * Listens to an upstream until it is clear what it answers: until then another one may be tried, and the client has seen
 * nothing. A plain answer is collected; a stream is handed over once its first event is there.
 */
export class Opening implements HubListener, StreamSource, Watched, Interruptible {
  place = -1;
  readonly #limits: OpeningLimits;
  readonly #settle: (opened: Opened) => void;
  #exchange: UpstreamExchange | null = null;
  #settled = false;
  #aborted = false;
  #status = 0;
  #headers: UpstreamHeaders = {};
  #asStream = false;
  #kept: HubEvents[] = [];
  #bytes = 0;
  #splitter: EventSplitter | null = null;
  #sink: StreamSink | null = null;
  #waiting: { readonly fault: UpstreamFault | null } | null = null;
  #paused = false;

  constructor(limits: OpeningLimits, settle: (opened: Opened) => void) {
    this.#limits = limits;
    this.#settle = settle;
  }

  /** The exchange that this listens to; it may have told something already. */
  begin(exchange: UpstreamExchange): void {
    this.#exchange = exchange;
    if (this.#aborted) exchange.abort();
  }

  headers(status: number, headers: UpstreamHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (status !== 200) return;
    const type = (headers['content-type'] ?? '').toLowerCase();
    const isEvents = type.startsWith('text/event-stream');
    switch (this.#limits.answers) {
      case 'asked':
        // Only a plain JSON answer says for sure that it is no stream: some upstreams send streams as text/plain.
        this.#asStream = this.#limits.streamed && !type.startsWith('application/json');
        break;
      case 'told':
        this.#asStream = isEvents;
        break;
      case 'bytes':
        this.#asStream = !type.startsWith('application/json');
    }
    if (this.#asStream && (isEvents || this.#limits.answers === 'asked')) this.#splitter = new EventSplitter(this.#limits.eventBytes);
  }

  data(events: HubEvents): boolean {
    if (this.#sink !== null) return this.#sink.data(events);
    if (this.#settled && !this.#asStream) return true;
    this.#kept.push(events);
    this.#bytes += sizeOf(events);
    if (this.#asStream) {
      if (this.#splitter !== null) this.#lookAtFirst(events, this.#splitter);
      else if (!this.#settled) this.#handOver();
      this.#paused = this.#settled && this.#bytes > WAITING_BYTES;
      return !this.#paused;
    }
    if (this.#bytes > (this.#status === 200 ? this.#limits.answerBytes : ERROR_BYTES)) {
      this.#abandon({ kind: 'garbled', why: 'the answer is larger than any that is taken' });
    }
    return true;
  }

  whole(answer: HubAnswer): void {
    this.#done({ kind: 'body', status: this.#status, headers: this.#headers, body: answer });
  }

  end(): void {
    if (this.#sink !== null) return this.#sink.end();
    if (!this.#asStream) {
      const [only, ...more] = this.#kept;
      return this.whole(only !== undefined && more.length === 0 ? bytesOf(only) : Buffer.concat(this.#kept.map(bytesOf)));
    }
    this.#waiting = { fault: null };
    if (!this.#settled) this.#done({ kind: 'garbled', why: 'the stream ended before its first event' });
  }

  failed(fault: UpstreamFault): void {
    if (this.#sink !== null) return this.#sink.failed(fault);
    this.#waiting = { fault };
    this.#done({ kind: 'fault', fault });
  }

  check(now: number): void {
    if (this.#settled) return;
    if (now - this.#limits.begun > this.#limits.withinMs) this.#abandon({ kind: 'timed_out' });
    else if (this.#splitter !== null && now - this.#limits.begun > this.#limits.heartbeatMs) this.#handOver();
  }

  /** A plain answer is paid for whether or not anybody waits for it, so a client that left does not end it; everything else does. */
  interrupt(why: Interruption): void {
    const goesOn = why === 'client_left' && (this.#asStream ? this.#limits.readOn : !this.#limits.streamed);
    if (!this.#settled && !goesOn) this.#abandon({ kind: 'interrupted', accepted: this.#asStream });
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    const kept = this.#kept;
    this.#kept = [];
    let goOn = true;
    for (const events of kept) goOn = sink.data(events) && goOn;
    if (this.#waiting !== null) {
      if (this.#waiting.fault === null) sink.end();
      else sink.failed(this.#waiting.fault);
    } else if (this.#paused && goOn) this.resume();
  }

  resume(): void {
    this.#paused = false;
    this.#exchange?.resume();
  }

  abort(): void {
    this.#aborted = true;
    this.#exchange?.abort();
  }

  #lookAtFirst(events: HubEvents, splitter: EventSplitter): void {
    if (!isBytes(events)) return this.#lookAtTold(events);
    const whole = splitter.push(events);
    if (whole === null) return;
    if (whole === 'overflow') return this.#abandon({ kind: 'garbled', why: 'an event is larger than any that is taken' });
    forEachEvent(whole, (event) => {
      if (this.#settled) return;
      const data = dataOf(event);
      if (data === null) return;
      const error = isErrorEvent(data);
      if (error === 'garbled') this.#abandon({ kind: 'garbled', why: 'the first event is not JSON' });
      else if (error) this.#abandon({ kind: 'error_event', data });
      else this.#handOver();
    });
  }

  #lookAtTold(told: readonly Told[]): void {
    const first = told.find((one) => one !== 'alive');
    if (first === undefined) return;
    if (first !== 'done' && isError(first.chunk)) this.#abandon({ kind: 'error_event', data: JSON.stringify(first.chunk) });
    else this.#handOver();
  }

  #handOver(): void {
    this.#splitter = null;
    this.#done({ kind: 'stream', headers: this.#headers, source: this });
  }

  /** Nobody will read the rest. */
  #abandon(opened: Opened): void {
    this.#splitter = null;
    this.#asStream = false;
    this.#kept = [];
    this.abort();
    this.#done(opened);
  }

  #done(opened: Opened): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(opened);
  }
}
