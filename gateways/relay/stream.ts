import type { Told } from '../../domain/dialects/chat/told.ts';
import { readOpenAIUsage, type UsageReading } from '../../domain/pricing/openai-usage.ts';
import { toDollarText } from '../../domain/ledger/money.ts';
import { refuse, type ErrorCode, type Refusal } from '../../schemas/errors.ts';
import type { Money } from '../../schemas/money.ts';
import { sendHead } from './answer.ts';
import type { StreamCloser, StreamWriter } from './dialects/answer-dialect.ts';
import { ChunkedBody } from './chunked-body.ts';
import type { Call, Interruptible, Interruption } from './call.ts';
import { bytesOfTold, isBytes, textOfTold, type HubEvents } from './hub-events.ts';
import { scanObject, splice, type Edit, type Span } from './json-spans.ts';
import type { NativeStream } from './native/native-form.ts';
import type { StreamSink, StreamSource } from './opening.ts';
import { ProducedText } from './produced-text.ts';
import { readUsage } from './read-usage.ts';
import type { RelayDeps } from './relay-deps.ts';
import { dataSpan, EventSplitter, forEachEvent } from './sse.ts';
import type { Watch, Watched } from './watch.ts';

/**
 * How a stream ended.
 *
 * | end           | what happened                                                         | what the client gets behind what it has |
 * |---------------|-----------------------------------------------------------------------|------------------------------------------|
 * | `done`        | `[DONE]` came, or usage or a finish reason and then a clean end       | usage with cost if asked, `[DONE]`       |
 * | `broken`      | the connection died, or ended before anything said that it was over   | an error event, no `[DONE]`              |
 * | `error_event` | the upstream sent an error in the middle                              | that error, as it came                   |
 * | `silent`      | nothing came for longer than a stream may be silent                   | an error event                           |
 * | `too_long`    | it ran longer than a stream may                                       | an error event                           |
 * | `garbled`     | an event larger than any that makes sense                             | an error event                           |
 * | `unread`      | the client read nothing for too long                                  | its connection is cut                    |
 * | `client_left` | the client closed its connection; see `readOn`                        | nothing: it is gone                      |
 * | `shutdown`    | this process has to end                                               | an error event                           |
 *
 * Whatever the end, the call is charged by the last usage that the upstream reported; where it reported none, by a count of
 * the prompt and of what was produced, marked as an estimate; where what it reported cannot be (negative, fractional, not
 * a number), the hold is charged and flagged. Where nothing at all was produced and the client had not left, nothing is.
 */
export type StreamEnd = 'done' | 'broken' | 'error_event' | 'silent' | 'too_long' | 'garbled' | 'unread' | 'client_left' | 'shutdown';

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

const DONE = Buffer.from('data: [DONE]\n\n');

const DONE_MARK = Buffer.from('[DONE]');
const USAGE_MARK = Buffer.from('"usage"');
const ERROR_MARK = Buffer.from('"error"');

/** Whether a member of this name with a value other than null stands anywhere in the bytes. A quoted name inside a text has its quotes escaped, so this sees none there. */
const hasValue = (bytes: Buffer, mark: Buffer): boolean => {
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at)) {
    at += mark.length;
    while ((bytes[at] as number) <= 0x20) at++;
    if (bytes[at] !== 0x3a) continue;
    at++;
    while ((bytes[at] as number) <= 0x20) at++;
    if (bytes[at] !== 0x6e) return true;
  }
  return false;
};

/** Whether there is anything to do with these events but to pass them on. */
const isOrdinary = (events: Buffer): boolean =>
  !events.includes(DONE_MARK) && !hasValue(events, USAGE_MARK) && !hasValue(events, ERROR_MARK);

/** Whether bytes that no blank line followed are an event all the same, and not the beginning of one that was cut off. */
const isWholeEvent = (rest: Buffer): boolean => {
  const at = dataSpan(rest);
  if (at === null) return false;
  return rest.includes(DONE_MARK) || scanObject(rest.subarray(at.start, at.end), []).closed;
};

/** Usage where some put it: Groq into a member of its own, Moonshot into the first choice. */
const usageInside = (event: Buffer, groq: Span | null, choices: Span | null): Span | null => {
  if (groq !== null) return scanObject(event, ['usage'], { from: groq.start }).spans[0] ?? null;
  return choices === null || !event.includes(USAGE_MARK)
    ? null
    : (scanObject(event, ['usage'], { from: choices.start + 1 }).spans[0] ?? null);
};

/** Nobody who tells puts it anywhere else. */
const usageOf = ({ usage }: Readonly<Record<string, unknown>>): unknown => usage ?? null;

const errorOf = ({ error }: Readonly<Record<string, unknown>>): unknown => error ?? null;

/** Whether there is anything to do with what was told but to pass it on. */
const isOrdinaryTold = (told: readonly Told[]): boolean =>
  told.every((one) => one === 'alive' || (one !== 'done' && usageOf(one.chunk) === null && errorOf(one.chunk) === null));

/** As of the JSON that it stands for, in which what is no number is nothing. */
const readToldUsage = (usage: unknown): UsageReading => readOpenAIUsage(JSON.parse(JSON.stringify(usage)), 'chat');

const isEmptyList = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0);

const ABSENT: UsageReading = { kind: 'absent' };

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

const usageSpan = (event: Buffer): Span | null => {
  const at = dataSpan(event);
  return at === null ? null : (scanObject(event, ['usage'], { from: at.start }).spans[0] ?? null);
};

/** The upstream's usage chunk with the cost put in; every other byte is as it came. */
const withCost = (event: Buffer, cost: Money): Buffer => {
  const span = usageSpan(event);
  if (span === null || event[span.end - 1] !== 0x7d) return event;
  const empty = event.toString('latin1', span.start + 1, span.end - 1).trim() === '';
  return splice(event, [{ start: span.end - 1, end: span.end - 1, text: `${empty ? '' : ','}"cost":"${toDollarText(cost)}"` }]);
};

/** Tokens as they were charged, for a usage chunk that the upstream did not send. */
export interface ChargedTokens {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly estimated: boolean;
}

const ownUsageChunk = (call: Call, chunkObject: string, cost: Money, { promptTokens, outputTokens, estimated }: ChargedTokens): string =>
  `data: ${JSON.stringify({
    id: `chatcmpl-${call.requestId}`,
    object: chunkObject,
    created: Math.floor(call.startedAt / 1_000),
    model: call.model,
    choices: [],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: outputTokens,
      total_tokens: promptTokens + outputTokens,
      cost: toDollarText(cost),
      ...(estimated ? { estimated } : {}),
    },
  })}\n\n`;

const ERRORS: { readonly [E in StreamEnd]: ErrorCode | null } = {
  done: null,
  error_event: null,
  broken: 'upstream_failed',
  silent: 'upstream_timed_out',
  too_long: 'upstream_timed_out',
  garbled: 'upstream_garbled',
  unread: null,
  client_left: null,
  shutdown: 'shutting_down',
};

/** For the log: what was wrong with a stream, if anything. */
export const errorOfEnd = (end: StreamEnd): ErrorCode | null => (end === 'error_event' ? 'upstream_failed' : ERRORS[end]);

const brokenEvent = (call: Call, refusal: Refusal, closer: StreamCloser | null): Buffer =>
  closer === null ? Buffer.from(`data: ${call.dialect.errorBody(refusal, call.requestId)}\n\n`) : closer.broken(refusal);

/** The last events of a stream, once its charge is on record; and its end. `last`: those of a stream that is whole, in its client's dialect. */
export const endStream = (
  call: Call,
  result: StreamResult,
  charged: { readonly cost: Money; readonly tokens: ChargedTokens | null } | null,
  {
    usageWanted,
    chunkObject,
    closer,
    last: written,
  }: Pick<StreamOptions, 'usageWanted' | 'chunkObject'> & { readonly closer: StreamCloser | null; readonly last: Buffer | null },
): void => {
  const { body } = call;
  if (body === null || call.clientGone || result.end === 'unread' || result.end === 'client_left') {
    call.res.destroy();
    return;
  }
  const pieces: Buffer[] = [];
  const code = ERRORS[result.end];
  if (code !== null) pieces.push(brokenEvent(call, refuse(code), closer));
  else if (closer !== null) {
    if (written !== null) pieces.push(written);
  } else {
    if (usageWanted && charged !== null) {
      if (result.usageEvent !== null) pieces.push(withCost(result.usageEvent, charged.cost));
      else if (charged.tokens !== null) pieces.push(Buffer.from(ownUsageChunk(call, chunkObject, charged.cost, charged.tokens)));
    }
    if (result.end === 'done') pieces.push(result.doneEvent ?? DONE);
    else if (result.doneEvent !== null) pieces.push(result.doneEvent);
  }
  const last = Buffer.concat(pieces);
  call.sent?.push(last);
  body.end(last);
};

/** Ends a stream whose charge the log refused: what was sent is sent, but nobody is told that it is complete. */
export const endStreamRefused = (call: Call, refusal: Refusal, closer: StreamCloser | null): void => {
  if (call.clientGone || call.body === null) call.res.destroy();
  else call.body.end(brokenEvent(call, refusal, closer));
};
