import { sendHead } from './answer.ts';
import type { Call, Interruptible, Interruption } from './call.ts';
import { ChunkedBody } from './chunked-body.ts';
import { isRecord } from '../../domain/dialects/loose-json.ts';
import { parsedJson } from './dialects/parsed-json.ts';
import type { Heard } from './endpoints/endpoint.ts';
import { bytesOf, type HubEvents } from './hub-events.ts';
import type { StreamSink, StreamSource } from './opening.ts';
import type { RelayDeps } from './relay-deps.ts';
import { dataOf, EventSplitter, forEachEvent, isDone } from './sse.ts';
import type { StreamEnd } from './stream-end.ts';
import type { Watch, Watched } from './watch.ts';

/** What became of a stream that was passed on as it came. */
export interface HeardStream {
  readonly end: StreamEnd;
  readonly heard: Heard;
  /** Nothing came of it. */
  readonly empty: boolean;
  /** Its last bytes, held back until the charge is on record. */
  readonly rest: Buffer;
}

type HeardDeps = Pick<RelayDeps, 'limits' | 'stopwatch'> & { readonly watch: Watch };

const NOTHING: Buffer = Buffer.alloc(0);
const USAGE_MARK = Buffer.from('"usage"');
const ENDED = /\.(?:completed|done)$/;
/** Text kept for a count. */
const MOST_TEXT = 2_000_000;

/** What of a stream decides about its charge, read from its events or from the mere fact that bytes came. */
interface Ear {
  /** What may go on at once. */
  push(chunk: Buffer): Buffer | 'overflow';
  /** What is held back when nothing more comes. */
  rest(): Buffer;
  heard(): Heard;
  readonly failed: boolean;
}

/** Bytes say nothing of themselves; the last that came are held back. */
class BytesEar implements Ear {
  #last: Buffer = NOTHING;
  readonly failed = false;

  push(chunk: Buffer): Buffer {
    const before = this.#last;
    this.#last = chunk;
    return before;
  }

  rest(): Buffer {
    return this.#last;
  }

  heard(): Heard {
    return { usages: [], ended: 0, text: '' };
  }
}

/** Events are passed on whole; from the first on that ends something or tells usage they are held back. */
class EventsEar implements Ear {
  readonly #splitter: EventSplitter;
  readonly #mostHeld: number;
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  readonly #usages: unknown[] = [];
  #ended = 0;
  #text = '';
  failed = false;

  constructor(eventBytes: number, mostHeld: number) {
    this.#splitter = new EventSplitter(eventBytes);
    this.#mostHeld = mostHeld;
  }

  push(chunk: Buffer): Buffer | 'overflow' {
    const events = this.#splitter.push(chunk);
    if (events === null) return NOTHING;
    if (events === 'overflow') return 'overflow';
    const passed: Buffer[] = [];
    forEachEvent(events, (event) => {
      const isLast = this.#read(event);
      if (!isLast && this.#held.length === 0) passed.push(event);
      else {
        this.#held.push(event);
        this.#heldBytes += event.length;
      }
    });
    return this.#heldBytes > this.#mostHeld ? 'overflow' : Buffer.concat(passed);
  }

  rest(): Buffer {
    const rest = this.#splitter.rest();
    if (rest.length === 0) return Buffer.concat(this.#held);
    this.#read(rest);
    return Buffer.concat([...this.#held, rest]);
  }

  heard(): Heard {
    return { usages: this.#usages, ended: this.#ended, text: this.#text };
  }

  /** Whether it is one of those that are held back. Pictures are large, so only what may say something is parsed. */
  #read(event: Buffer): boolean {
    const head = event.toString('latin1', 0, 512);
    const isPartial = head.includes('partial_image"') && !event.includes(USAGE_MARK);
    const data = isPartial ? null : dataOf(event);
    if (data === null) return false;
    if (isDone(data)) return true;
    const value = parsedJson(data);
    if (!isRecord(value)) return false;
    const { usage, type, error } = value;
    if (error !== undefined && error !== null) this.failed = true;
    const ends = typeof type === 'string' && ENDED.test(type);
    if (ends) this.#ended++;
    if (type === 'transcript.text.delta' && typeof value['delta'] === 'string' && this.#text.length < MOST_TEXT)
      this.#text += value['delta'];
    if (usage === undefined || usage === null) return ends;
    this.#usages.push(usage);
    return true;
  }
}

/** Passes a stream on as it comes but for its end. A client that does not read pauses the upstream. */
class HeardRelay implements StreamSink, Watched, Interruptible {
  place = -1;
  readonly #deps: HeardDeps;
  readonly #call: Call;
  readonly #source: StreamSource;
  readonly #ear: Ear;
  readonly #heartbeat: Buffer;
  readonly #resolve: (stream: HeardStream) => void;
  #begun = 0;
  #lastData = 0;
  #lastWrite = 0;
  #unreadSince: number | null = null;
  #over = false;
  #empty = true;

  constructor(deps: HeardDeps, call: Call, source: StreamSource, isEvents: boolean, resolve: (stream: HeardStream) => void) {
    this.#deps = deps;
    this.#call = call;
    this.#source = source;
    this.#ear = isEvents ? new EventsEar(deps.limits.eventBytes, deps.limits.answerBytes) : new BytesEar();
    this.#heartbeat = isEvents ? call.dialect.heartbeat : NOTHING;
    this.#resolve = resolve;
  }

  begin(): void {
    const now = this.#deps.stopwatch.elapsed();
    this.#begun = this.#lastData = this.#lastWrite = now;
    this.#call.running = this;
    if (this.#call.clientGone) return this.#stop('client_left');
    this.#deps.watch.add(this);
    this.#source.attach(this);
  }

  data(events: HubEvents): boolean {
    if (this.#over) return true;
    const chunk = bytesOf(events);
    this.#lastData = this.#deps.stopwatch.elapsed();
    if (chunk.length > 0) this.#empty = false;
    const passed = this.#ear.push(chunk);
    if (passed === 'overflow') {
      this.#stop('garbled');
      return false;
    }
    return passed.length === 0 || this.#send(passed, this.#lastData);
  }

  end(): void {
    if (this.#over) return;
    const rest = this.#ear.rest();
    this.#finish(this.#ear.failed ? 'error_event' : 'done', rest);
  }

  failed(): void {
    if (this.#over) return;
    this.#finish('broken', NOTHING);
  }

  interrupt(why: Interruption): void {
    this.#stop(why === 'client_left' ? 'client_left' : 'shutdown');
  }

  check(now: number): void {
    const { limits } = this.#deps;
    if (this.#over) return;
    if (this.#unreadSince !== null && now - this.#unreadSince > limits.unreadMs) this.#stop('unread');
    else if (this.#unreadSince === null && now - this.#lastData > limits.silenceMs) this.#stop('silent');
    else if (now - this.#begun > limits.streamMs) this.#stop('too_long');
    else if (this.#heartbeat.length > 0 && this.#unreadSince === null && now - this.#lastWrite > limits.heartbeatMs)
      this.#send(this.#heartbeat, now);
  }

  #send(bytes: Buffer, now: number): boolean {
    const call = this.#call;
    if (call.clientGone) {
      this.#stop('client_left');
      return false;
    }
    call.sent?.push(bytes);
    this.#lastWrite = now;
    if (call.body?.write(bytes) === true) return true;
    // Most streams are always read, and a listener for each would wait in vain.
    if (this.#unreadSince === null) call.res.once('drain', () => this.#drained());
    this.#unreadSince = now;
    return false;
  }

  #drained(): void {
    if (this.#over) return;
    this.#unreadSince = null;
    this.#lastData = this.#deps.stopwatch.elapsed();
    this.#source.resume();
  }

  #stop(end: StreamEnd): void {
    if (this.#over) return;
    this.#source.abort();
    this.#finish(end, NOTHING);
  }

  #finish(end: StreamEnd, rest: Buffer): void {
    this.#over = true;
    this.#call.running = null;
    this.#deps.watch.remove(this);
    this.#resolve({ end, heard: this.#ear.heard(), empty: this.#empty, rest });
  }
}

const EVENT_HEADERS = ['cache-control', 'no-cache, no-transform', 'x-accel-buffering', 'no'] as const;

/** Sends the head of a stream and passes on all of it but its end. Resolves when nothing more will come. */
export const hearStream = (
  deps: HeardDeps,
  call: Call,
  source: StreamSource,
  contentType: string,
  headers: readonly string[],
): Promise<HeardStream> => {
  const isEvents = contentType.toLowerCase().startsWith('text/event-stream');
  if (!call.clientGone) {
    sendHead(call, 200, ['content-type', contentType, ...(isEvents ? EVENT_HEADERS : []), ...headers]);
    call.body = new ChunkedBody(call.res);
    call.forgetRequest();
    call.firstByteMs = Math.round(deps.stopwatch.elapsed() - call.begun);
  }
  return new Promise((resolve) => new HeardRelay(deps, call, source, isEvents, resolve).begin());
};
