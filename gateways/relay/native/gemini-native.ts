import { wholeOfChunks } from '../../../domain/dialects/chat/whole-of-chunks.ts';
import type { Teller } from '../../../domain/dialects/chat/told.ts';
import { CompletionChunks } from '../../../domain/dialects/gemini/completion-chunks.ts';
import { billedSearches, chatUsage } from '../../../domain/dialects/gemini/reported-usage.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { readOpenAIUsage, type UsageReading } from '../../../domain/pricing/openai-usage.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import { EVENT_STREAM } from '../dialects/event-stream.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { scanObject, splice } from '../json-spans.ts';
import { producedByAnswer } from '../produced-text.ts';
import { dataOf, dataSpan, forEachEvent } from '../sse.ts';
import { geminiErrors } from '../upstreams/gemini-errors.ts';
import type { Look, NativeForm, NativeStream, NativeStreamOptions } from './native-form.ts';

type Json = Readonly<Record<string, unknown>>;

/** Events with any of these in them are looked at; a text that has one too is only looked at in vain. */
const MARKS = ['finishReason', 'blockReason', 'webSearchQueries', '"error"'].map((mark) => Buffer.from(mark));

const GROUNDED = Buffer.from('webSearchQueries');

const ABSENT: UsageReading = { kind: 'absent' };

const candidatesOf = (said: Json): readonly unknown[] =>
  Array.isArray(said['candidates']) ? (said['candidates'] as readonly unknown[]) : [];

class GeminiNativeStream implements NativeStream {
  readonly #options: NativeStreamOptions;
  readonly #upstreamModel: string;
  readonly #choices: number;
  readonly #asArray: boolean;
  readonly #finished = new Set<unknown>();
  #searches = 0;
  #sent = 0;
  /** What came from the moment on at which every answer had said why it ended. */
  #held: Buffer[] | null = null;

  constructor(upstreamModel: string, choices: number, options: NativeStreamOptions) {
    this.#options = options;
    this.#upstreamModel = upstreamModel;
    this.#choices = choices;
    this.#asArray = options.dialect.streamType !== EVENT_STREAM;
  }

  isOrdinary(events: Buffer): boolean {
    return this.#held === null && this.#options.renamedTo === null && !MARKS.some((mark) => events.includes(mark));
  }

  look(event: Buffer): Look {
    const at = dataSpan(event);
    const said = at === null ? null : parsedJson(event.toString('utf8', at.start, at.end));
    if (at === null || !isRecord(said)) return { passed: event, reading: null, isError: false, isLast: false };
    const isError = isRecord(said['error']);
    this.#searches = Math.max(this.#searches, billedSearches(said, this.#upstreamModel));
    for (const candidate of candidatesOf(said))
      if (isRecord(candidate) && typeof candidate['finishReason'] === 'string') this.#finished.add(candidate['index'] ?? 0);
    const isBlocked = isRecord(said['promptFeedback']) && said['promptFeedback']['blockReason'] !== undefined;
    if (isBlocked || this.#finished.size >= this.#choices) this.#held ??= [];
    let passed = event;
    if (this.#options.renamedTo !== null) {
      const model = scanObject(event, ['modelVersion'], { from: at.start }).spans[0] ?? null;
      if (model !== null) passed = splice(event, [{ ...model, text: JSON.stringify(this.#options.renamedTo) }]);
    }
    if (this.#held === null || isError) return { passed, reading: null, isError, isLast: false };
    this.#held.push(passed);
    const usage = said['usageMetadata'];
    const reading = isRecord(usage) ? readOpenAIUsage(chatUsage(usage, this.#searches), 'chat') : null;
    return { passed: null, reading, isError, isLast: false };
  }

  teller(): Teller {
    return new CompletionChunks(this.#upstreamModel, 0);
  }

  write(events: Buffer): Buffer {
    if (!this.#asArray) return events;
    let text = '';
    forEachEvent(events, (event) => {
      const data = dataOf(event);
      if (data !== null) text += this.#element(data);
    });
    return Buffer.from(text);
  }

  end(): Buffer {
    const last = this.write(Buffer.concat(this.#held ?? []));
    return this.#asArray ? Buffer.concat([last, Buffer.from(this.#sent === 0 ? '[]' : ']')]) : last;
  }

  broken(refusal: Refusal): Buffer {
    const error = this.#options.dialect.errorBody(refusal, this.#options.requestId);
    return Buffer.from(this.#asArray ? `${this.#element(error)}]` : `data: ${error}\n\n`);
  }

  #element(data: string): string {
    return `${this.#sent++ === 0 ? '[' : ',\n'}${data}`;
  }
}

/** Gemini's generateContent, from an upstream that speaks it to a client that does. */
export const geminiNative = (upstreamModel: string, choices: number): NativeForm => ({
  members: { usage: 'usageMetadata', model: 'modelVersion' },
  hubError: geminiErrors.error,
  statusOf: geminiErrors.statusOf,
  headersOf: geminiErrors.headersOf,
  reading: (body, usage) => {
    if (usage === null) return ABSENT;
    const said = parsedJson(body.toString('utf8', usage.start, usage.end));
    if (!isRecord(said)) return { kind: 'unbelievable', why: 'usage is not an object' };
    const whole = body.includes(GROUNDED) ? parsedJson(body.toString('utf8')) : null;
    return readOpenAIUsage(chatUsage(said, billedSearches(whole, upstreamModel)), 'chat');
  },
  produced: (body) => {
    const teller = new CompletionChunks(upstreamModel, 0);
    return producedByAnswer(wholeOfChunks(teller.push(parsedJson(body.toString('utf8')))));
  },
  stream: (options) => new GeminiNativeStream(upstreamModel, choices, options),
});
