import type { Told } from '../../domain/dialects/chat/told.ts';
import type { UsageReading } from '../../domain/pricing/openai-usage.ts';
import { sendHead } from './answer.ts';
import type { Call, Interruptible, Interruption } from './call.ts';
import { ChunkedBody } from './chunked-body.ts';
import type { StreamWriter } from './dialects/answer-dialect.ts';
import { bytesOfTold, isBytes, textOfTold, type HubEvents } from './hub-events.ts';
import { scanObject, splice, type Edit } from './json-spans.ts';
import type { NativeStream } from './native/native-form.ts';
import type { StreamSink, StreamSource } from './opening.ts';
import { ProducedText } from './produced-text.ts';
import { readUsage } from './read-usage.ts';
import type { RelayDeps } from './relay-deps.ts';
import { errorOf, isOrdinary, isOrdinaryTold, readToldUsage, usageInside, usageOf } from './said-beside-text.ts';
import { dataSpan, DONE, DONE_MARK, EventSplitter, forEachEvent } from './sse.ts';
import type { StreamEnd } from './stream-end.ts';
import type { Watch, Watched } from './watch.ts';

/** How a stream is passed on. */
export interface StreamOptions {
  /** The client asked for usage (`stream_options.include_usage`). */
  readonly usageWanted: boolean;
  /** The name that the client knows the model by, where the upstream uses another. */
  readonly renamedTo: string | null;
  /** What a chunk calls itself. */
  readonly chunkObject: 'chat.completion.chunk' | 'text_completion';
  /** Passes it on as it came, where the client speaks the upstream's dialect and that is not the hub's. */
  readonly native: NativeStream | null;
  /** Says it in the client's dialect; `null` where that is the upstream's or the hub's. */
  readonly writer: StreamWriter | null;
  /** The upstream bills the whole answer even if nobody reads it: then it is read to its end, for its usage. */
  readonly readOn: boolean;
}

/** What a stream came to, before its last events are sent. */
export interface StreamResult {
  readonly end: StreamEnd;
  readonly reading: UsageReading;
  readonly produced: ProducedText;
  /** The upstream's own usage chunk and last event, held back until the charge is on record. */
  readonly usageEvent: Buffer | null;
  readonly doneEvent: Buffer | null;
}

/** What is said of a stream ahead of it. */
export const streamHeaders = ({ dialect }: Call): readonly string[] => [
  'content-type',
  dialect.streamType,
  'cache-control',
  'no-cache, no-transform',
  'x-accel-buffering',
  'no',
];

/** Whether bytes that no blank line followed are an event all the same, and not the beginning of one that was cut off. */
const isWholeEvent = (rest: Buffer): boolean => {
  const at = dataSpan(rest);
  if (at === null) return false;
  return rest.includes(DONE_MARK) || scanObject(rest.subarray(at.start, at.end), []).closed;
};

const isEmptyList = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0);

const ABSENT: UsageReading = { kind: 'absent' };

type StreamDeps = Pick<RelayDeps, 'limits' | 'stopwatch'> & { readonly watch: Watch };

/**
 * Passes a stream on, chunk by chunk as it comes: whole events leave at once and in one write; usage chunk and `[DONE]` are
 * held back. Nothing here waits: a client that does not read pauses the upstream.
 */
class StreamRelay implements StreamSink, Watched, Interruptible {
  place = -1;
  readonly #deps: StreamDeps;
  readonly #call: Call;
  readonly #source: StreamSource;
  readonly #options: StreamOptions;
  readonly #resolve: (result: StreamResult) => void;
  readonly #splitter: EventSplitter;
  readonly #produced: ProducedText;
  #begun = 0;
  #lastData = 0;
  #lastWrite = 0;
  #unreadSince: number | null = null;
  #over: number | null = null;
  #upstreamEnded = false;
  #wrote = false;
  #sawError = false;
  #isDeserted = false;
  #reading: UsageReading = ABSENT;
  #usageEvent: Buffer | null = null;
  #doneEvent: Buffer | null = null;

  constructor(deps: StreamDeps, call: Call, source: StreamSource, options: StreamOptions, resolve: (result: StreamResult) => void) {
    this.#deps = deps;
    this.#call = call;
    this.#source = source;
    this.#options = options;
    this.#resolve = resolve;
    this.#splitter = new EventSplitter(deps.limits.eventBytes);
    this.#produced = new ProducedText(deps.limits.uncountedBytes, options.native?.teller() ?? null);
  }

  begin(): void {
    const now = this.#deps.stopwatch.elapsed();
    this.#begun = this.#lastData = this.#lastWrite = now;
    this.#call.running = this;
    if (this.#call.clientGone) {
      if (!this.#options.readOn) return this.#stop('client_left');
      this.#isDeserted = true;
    }
    this.#deps.watch.add(this);
    this.#source.attach(this);
    // Begun for its upstream's silence: now somebody must say something.
    if (this.#over === null && !this.#wrote) this.#send(this.#call.dialect.heartbeat, now);
  }

  data(events: HubEvents): boolean {
    if (this.#over !== null) return true;
    const now = this.#deps.stopwatch.elapsed();
    this.#lastData = now;
    return isBytes(events) ? this.#takeBytes(events, now) : this.#takeTold(events, now);
  }

  #takeBytes(chunk: Buffer, now: number): boolean {
    const events = this.#splitter.push(chunk);
    if (events === null) return true;
    if (events === 'overflow') {
      this.#stop('garbled');
      return false;
    }
    const { native, renamedTo } = this.#options;
    if (native === null ? renamedTo === null && isOrdinary(events) : native.isOrdinary(events)) {
      this.#produced.keep(events);
      return this.#write(events, now);
    }
    return this.#takeApart(events, now);
  }

  #takeTold(told: readonly Told[], now: number): boolean {
    const { writer, renamedTo } = this.#options;
    if (renamedTo === null && isOrdinaryTold(told)) {
      this.#produced.keep(told);
      return this.#write(told, now);
    }
    if (writer === null) return this.#takeBytes(bytesOfTold(told), now);
    const passed: Told[] = [];
    for (const one of told) {
      if (this.#doneEvent !== null) break;
      const out = this.#lookAtTold(one);
      if (out !== null) passed.push(out);
    }
    return this.#passOn(passed.length === 0 ? null : passed, now);
  }

  end(): void {
    this.#upstreamEnded = true;
    if (this.#over !== null) return this.#deps.watch.remove(this);
    const rest = this.#splitter.rest();
    if (isWholeEvent(rest)) this.#takeApart(Buffer.concat([rest, Buffer.from('\n\n')]), this.#deps.stopwatch.elapsed());
    if (this.#over !== null) return;
    const whole = this.#reading.kind === 'reported' || this.#produced.finished();
    this.#finish(this.#sawError ? 'error_event' : whole ? 'done' : 'broken');
  }

  failed(): void {
    this.#upstreamEnded = true;
    if (this.#over !== null) return this.#deps.watch.remove(this);
    this.#finish(this.#sawError ? 'error_event' : this.#usageEvent !== null ? 'done' : 'broken');
  }

  interrupt(why: Interruption): void {
    if (why === 'client_left') this.#desert();
    else this.#stop('shutdown');
  }

  check(now: number): void {
    const { limits, watch } = this.#deps;
    if (this.#over !== null) {
      if (now - this.#over <= limits.lingerMs) return;
      watch.remove(this);
      this.#source.abort();
    } else if (this.#unreadSince !== null && now - this.#unreadSince > limits.unreadMs) {
      this.#stop('unread');
    } else if (this.#unreadSince === null && now - this.#lastData > limits.silenceMs) {
      this.#stop('silent');
    } else if (now - this.#begun > limits.streamMs) {
      this.#stop('too_long');
    } else if (this.#unreadSince === null && now - this.#lastWrite > limits.heartbeatMs) {
      this.#send(this.#call.dialect.heartbeat, now);
    }
  }

  #takeApart(events: Buffer, now: number): boolean {
    const passed: Buffer[] = [];
    forEachEvent(events, (event) => {
      if (this.#doneEvent !== null) return;
      const out = this.#look(event);
      if (out !== null) passed.push(out);
    });
    return this.#passOn(passed.length === 0 ? null : passed.length === 1 ? (passed[0] as Buffer) : Buffer.concat(passed), now);
  }

  /** `null`: nothing of what came goes on at once. */
  #passOn(passed: HubEvents | null, now: number): boolean {
    const goOn = passed === null || this.#write(passed, now);
    if (this.#doneEvent !== null && this.#over === null) this.#finish(this.#sawError ? 'error_event' : 'done');
    return goOn;
  }

  #lookNatively(native: NativeStream, event: Buffer): Buffer | null {
    const { passed, reading, isError, isLast } = native.look(event);
    if (isError) this.#sawError = true;
    if (reading !== null && reading.kind !== 'absent') {
      this.#reading = reading;
      this.#usageEvent = event;
    }
    if (this.#reading.kind === 'reported') this.#produced.forget();
    else this.#produced.keep(event);
    if (isLast) this.#doneEvent = event;
    return passed;
  }

  /** What of an event goes on at once; `null`: nothing. */
  #look(event: Buffer): Buffer | null {
    if (this.#options.native !== null) return this.#lookNatively(this.#options.native, event);
    const at = dataSpan(event);
    if (at === null) return event;
    if (event.toString('latin1', at.start, at.start + DONE_MARK.length) === '[DONE]') {
      this.#doneEvent = event;
      return null;
    }
    const { spans } = scanObject(event, ['usage', 'error', 'choices', 'model', 'x_groq'], { from: at.start });
    const [beside = null, error = null, choices = null, model = null, groq = null] = spans;
    const usage = beside ?? usageInside(event, groq, choices);
    const edits: Edit[] = [];
    if (model !== null && this.#options.renamedTo !== null) edits.push({ ...model, text: JSON.stringify(this.#options.renamedTo) });
    if (error !== null && event[error.start] !== 0x6e) this.#sawError = true;
    if (usage !== null && event[usage.start] !== 0x6e) {
      const isLast = choices === null || /^\[\s*\]$/.test(event.toString('latin1', choices.start, choices.end));
      if (this.#takeUsage(readUsage({ body: event, usage }, 'chat'), isLast, () => splice(event, edits))) return null;
      if (!this.#options.usageWanted) edits.push({ ...usage, text: 'null' });
    }
    if (this.#reading.kind !== 'reported') this.#produced.keep(event);
    return splice(event, edits);
  }

  /** The same of what was told. */
  #lookAtTold(one: Told): Told | null {
    if (one === 'alive') return one;
    if (one === 'done') {
      this.#doneEvent = DONE;
      return null;
    }
    const { chunk } = one;
    if (errorOf(chunk) !== null) this.#sawError = true;
    const usage = usageOf(chunk);
    let out = one;
    if (usage !== null) {
      if (this.#takeUsage(readToldUsage(usage), isEmptyList(chunk['choices']), () => bytesOfTold([one]))) return null;
      if (!this.#options.usageWanted) out = { chunk: { ...chunk, usage: null } };
    }
    if (this.#reading.kind !== 'reported') this.#produced.keep([one]);
    return out;
  }

  /** Whether the event that says it is held back, as one that says nothing else is. */
  #takeUsage(reading: UsageReading, isLast: boolean, event: () => Buffer): boolean {
    if (reading.kind !== 'absent') this.#reading = reading;
    if (reading.kind === 'reported') this.#produced.forget();
    // What cannot be true is not told to anybody.
    if (isLast && reading.kind !== 'unbelievable') this.#usageEvent = event();
    return isLast;
  }

  #write(events: HubEvents, now: number): boolean {
    const { native, writer } = this.#options;
    const said =
      writer !== null ? writer.write(events) : !isBytes(events) ? textOfTold(events) : native !== null ? native.write(events) : events;
    // What says nothing in the client's dialect does not break its silence either.
    return said.length === 0 || this.#send(said, now);
  }

  #send(events: Buffer | string, now: number): boolean {
    const call = this.#call;
    if (this.#isDeserted) return true;
    if (call.clientGone) {
      this.#desert();
      return this.#isDeserted;
    }
    call.sent?.push(typeof events === 'string' ? Buffer.from(events) : events);
    this.#wrote = true;
    this.#lastWrite = now;
    if (call.body?.write(events) === true) return true;
    // Most streams are always read, and a listener for each would wait in vain.
    if (this.#unreadSince === null) call.res.once('drain', () => this.#drained());
    this.#unreadSince = now;
    return false;
  }

  #drained(): void {
    if (this.#over !== null) return;
    this.#unreadSince = null;
    this.#lastData = this.#deps.stopwatch.elapsed();
    this.#source.resume();
  }

  /** The client has left: nothing more is sent, and nothing more is read unless it is paid for anyway. */
  #desert(): void {
    if (this.#isDeserted) return;
    if (!this.#options.readOn || this.#over !== null) return this.#stop('client_left');
    this.#isDeserted = true;
    this.#unreadSince = null;
    this.#lastData = this.#deps.stopwatch.elapsed();
    this.#source.resume();
  }

  /** Ends it from our side. */
  #stop(end: StreamEnd): void {
    if (this.#over !== null) return;
    this.#upstreamEnded = true;
    this.#source.abort();
    this.#finish(end);
  }

  #finish(end: StreamEnd): void {
    const { stopwatch, watch } = this.#deps;
    this.#over = stopwatch.elapsed();
    this.#call.running = null;
    // What an upstream sends behind its last event is read and dropped, so that its connection can be used again; but not for ever.
    if (this.#upstreamEnded) watch.remove(this);
    else watch.add(this);
    this.#resolve({
      end: this.#isDeserted ? 'client_left' : end,
      reading: this.#reading,
      produced: this.#produced,
      usageEvent: this.#usageEvent,
      doneEvent: this.#doneEvent,
    });
  }
}

/** Sends the head of a stream and passes on all of it but its last events. Resolves when nothing more will come. */
export const relayStream = (
  deps: StreamDeps,
  call: Call,
  source: StreamSource,
  headers: readonly string[],
  options: StreamOptions,
): Promise<StreamResult> => {
  if (!call.clientGone) {
    sendHead(call, 200, [...streamHeaders(call), ...headers]);
    call.body = new ChunkedBody(call.res);
    call.forgetRequest();
    call.firstByteMs = Math.round(deps.stopwatch.elapsed() - call.begun);
  }
  return new Promise((resolve) => new StreamRelay(deps, call, source, options, resolve).begin());
};
