import { chatUsage as anthropicUsage, mergedUsage } from '../../../domain/dialects/anthropic/reported-usage.ts';
import { cohereUsage } from '../../../domain/dialects/cohere/reported-usage.ts';
import { billedSearches, chatUsage as geminiUsage } from '../../../domain/dialects/gemini/reported-usage.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { readOpenAIUsage, type UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { dataOf, EventSplitter, forEachEvent } from '../sse.ts';

type Json = Readonly<Record<string, unknown>>;

const ABSENT: UsageReading = { kind: 'absent' };

/** The Responses API counts as chat completions do, in other words. */
const ofResponses = (usage: Json): Json => ({
  prompt_tokens: usage['input_tokens'],
  completion_tokens: usage['output_tokens'] ?? 0,
  total_tokens: usage['total_tokens'],
  prompt_tokens_details: usage['input_tokens_details'],
  completion_tokens_details: usage['output_tokens_details'],
});

const inOpenAIsWords = (usage: Json): Json => {
  if ('prompt_tokens' in usage) return usage;
  if ('billed_units' in usage || 'tokens' in usage) return cohereUsage(usage) ?? usage;
  if ('input_tokens_details' in usage || 'total_tokens' in usage) return 'input_tokens' in usage ? ofResponses(usage) : usage;
  return 'input_tokens' in usage ? anthropicUsage(usage) : usage;
};

/**
 * What the answers of a call say that it used, in whichever provider's words. Values are told in the order in which they come: what is said
 * later completes what was said before.
 */
class Heard {
  readonly #model: string;
  #usage: Json = {};
  #google: Json | null = null;
  #searches = 0;

  constructor(model: string) {
    this.#model = model;
  }

  hear(said: unknown): void {
    if (!isRecord(said)) return;
    if (isRecord(said['usageMetadata'])) {
      this.#google = said['usageMetadata'];
      this.#searches = Math.max(this.#searches, billedSearches(said, this.#model));
    }
    for (const holder of [said, said['message'], said['response'], said['delta']])
      if (isRecord(holder) && isRecord(holder['usage'])) this.#usage = mergedUsage(this.#usage, holder['usage']);
    if (isRecord(said['meta']) && isRecord(said['meta']['billed_units'])) this.#usage = mergedUsage(this.#usage, said['meta']);
  }

  reading(): UsageReading {
    if (this.#google !== null) return readOpenAIUsage(geminiUsage(this.#google, this.#searches), 'chat');
    if (Object.keys(this.#usage).length === 0) return ABSENT;
    const usage = inOpenAIsWords(this.#usage);
    return readOpenAIUsage(usage, usage['completion_tokens'] === undefined ? 'embeddings' : 'chat');
  }
}

/** Hears an answer as it passes. */
export interface UsageEar {
  push(chunk: Buffer): void;
  reading(): UsageReading;
}

const MARK = /usage|billed_units/;

class EventsEar implements UsageEar {
  readonly #splitter: EventSplitter;
  readonly #heard: Heard;
  #isLost = false;

  constructor(model: string, eventBytes: number) {
    this.#heard = new Heard(model);
    this.#splitter = new EventSplitter(eventBytes);
  }

  push(chunk: Buffer): void {
    if (this.#isLost) return;
    const events = this.#splitter.push(chunk);
    if (events === 'overflow') this.#isLost = true;
    else if (events !== null) forEachEvent(events, (event) => this.#read(event));
  }

  reading(): UsageReading {
    if (!this.#isLost) this.#read(this.#splitter.rest());
    return this.#heard.reading();
  }

  #read(event: Buffer): void {
    const data = event.length === 0 ? null : dataOf(event);
    if (data !== null && MARK.test(data)) this.#heard.hear(parsedJson(data));
  }
}

/** One JSON value, a list of them (Google's streams without `alt=sse`), or one on each line (Ollama's). */
class WholeEar implements UsageEar {
  readonly #model: string;
  readonly #most: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(model: string, most: number) {
    this.#model = model;
    this.#most = most;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#most) this.#pieces.push(chunk);
    else this.#pieces = [];
  }

  reading(): UsageReading {
    if (this.#bytes > this.#most) return ABSENT;
    const text = Buffer.concat(this.#pieces).toString('utf8');
    const heard = new Heard(this.#model);
    const whole = parsedJson(text);
    if (Array.isArray(whole)) for (const each of whole as readonly unknown[]) heard.hear(each);
    else if (isRecord(whole)) heard.hear(whole);
    else for (const line of text.split('\n')) if (MARK.test(line)) heard.hear(parsedJson(line));
    return heard.reading();
  }
}

/** By what an answer says of its own type; what is neither JSON nor events says nothing. */
export const usageEar = (
  contentType: string,
  model: string,
  limits: { readonly eventBytes: number; readonly answerBytes: number },
): UsageEar => {
  const type = contentType.toLowerCase();
  if (type.startsWith('text/event-stream')) return new EventsEar(model, limits.eventBytes);
  if (type.includes('json')) return new WholeEar(model, limits.answerBytes);
  return { push: () => undefined, reading: () => ABSENT };
};
