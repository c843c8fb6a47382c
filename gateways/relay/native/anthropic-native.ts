import { completionOf } from '../../../domain/dialects/anthropic/completion.ts';
import { CompletionChunks } from '../../../domain/dialects/anthropic/completion-chunks.ts';
import { chatUsage, mergedUsage } from '../../../domain/dialects/anthropic/reported-usage.ts';
import type { Teller } from '../../../domain/dialects/chat/told.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { readOpenAIUsage, type UsageReading } from '../../../domain/pricing/openai-usage.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { scanObject, splice, type Span } from '../json-spans.ts';
import { producedByAnswer } from '../produced-text.ts';
import { dataSpan } from '../sse.ts';
import { anthropicErrors } from '../upstreams/anthropic-errors.ts';
import type { Look, NativeForm, NativeStream, NativeStreamOptions } from './native-form.ts';

type Json = Readonly<Record<string, unknown>>;

const NOTHING: Buffer = Buffer.alloc(0);

/** Events with any of these in them are looked at; a text that has one too is only looked at in vain. */
const MARKS = ['message_start', 'message_delta', 'message_stop', '"error"'].map((mark) => Buffer.from(mark));

const LAST = Buffer.from('event: message_stop\ndata: {"type":"message_stop"}\n\n');

/** Anthropic's name of the model is within the message that a stream begins with. */
const renamed = (event: Buffer, at: Span, model: string): Buffer => {
  const message = scanObject(event, ['message'], { from: at.start }).spans[0] ?? null;
  const name = message === null ? null : (scanObject(event, ['model'], { from: message.start }).spans[0] ?? null);
  return name === null ? event : splice(event, [{ ...name, text: JSON.stringify(model) }]);
};

class AnthropicNativeStream implements NativeStream {
  readonly #options: NativeStreamOptions;
  #usage: Json = {};
  /** Why it ended, and all behind it: with it a client has its whole answer. */
  #held: Buffer[] | null = null;
  #hasStopped = false;

  constructor(options: NativeStreamOptions) {
    this.#options = options;
  }

  isOrdinary(events: Buffer): boolean {
    return this.#held === null && !MARKS.some((mark) => events.includes(mark));
  }

  look(event: Buffer): Look {
    const at = dataSpan(event);
    const said = at === null ? null : parsedJson(event.toString('utf8', at.start, at.end));
    const type = isRecord(said) ? said['type'] : null;
    let passed = event;
    let reading: UsageReading | null = null;
    if (isRecord(said) && at !== null) {
      if (type === 'message_start') {
        this.#usage = mergedUsage({}, isRecord(said['message']) ? said['message']['usage'] : null);
        if (this.#options.renamedTo !== null) passed = renamed(event, at, this.#options.renamedTo);
      } else if (type === 'message_delta') {
        this.#usage = mergedUsage(this.#usage, said['usage']);
        reading = readOpenAIUsage(chatUsage(this.#usage), 'chat');
        this.#held ??= [];
      }
    }
    const isLast = type === 'message_stop';
    if (isLast) {
      this.#hasStopped = true;
      this.#held ??= [];
    }
    const isError = type === 'error';
    if (this.#held === null || isError) return { passed, reading, isError, isLast };
    this.#held.push(passed);
    return { passed: null, reading, isError, isLast };
  }

  teller(): Teller {
    return new CompletionChunks(0);
  }

  write(events: Buffer): Buffer {
    return events;
  }

  end(): Buffer {
    const held = this.#held ?? [];
    return Buffer.concat(this.#hasStopped ? held : [...held, LAST]);
  }

  broken(refusal: Refusal): Buffer {
    return this.#options.dialect.streamWriter({ requestId: this.#options.requestId, model: '' })?.broken(refusal) ?? NOTHING;
  }
}

/** Anthropic's Messages, from an upstream that speaks it to a client that does. */
export const anthropicNative: NativeForm = {
  members: { usage: 'usage', model: 'model' },
  hubError: anthropicErrors.error,
  statusOf: anthropicErrors.statusOf,
  headersOf: () => ({}),
  reading: (body, usage) => {
    const said = usage === null ? null : parsedJson(body.toString('utf8', usage.start, usage.end));
    if (usage !== null && !isRecord(said)) return { kind: 'unbelievable', why: 'usage is not an object' };
    return isRecord(said) ? readOpenAIUsage(chatUsage(said), 'chat') : { kind: 'absent' };
  },
  produced: (body) => producedByAnswer(completionOf(parsedJson(body.toString('utf8')), 0)),
  stream: (options) => new AnthropicNativeStream(options),
};
