import { Chunks } from '../chat/chunks.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { wordedError } from '../openai/worded-error.ts';

type Json = Readonly<Record<string, unknown>>;

const at = (value: unknown, name: string): unknown => (isRecord(value) ? value[name] : undefined);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** Spark’s codes, by the status that means the same. What is not among them is an error of the provider’s. */
const STATUSES: ReadonlyMap<number, number> = new Map([
  [10003, 400],
  [10004, 400],
  [10005, 400],
  // One call at a time, one question at a time, too much of either.
  [10006, 429],
  [10007, 429],
  [10008, 503],
  // What was asked, or what was answered, is not to be said.
  [10013, 400],
  [10014, 400],
  [10019, 400],
  [10015, 403],
  [10016, 402],
  [10110, 503],
  [10163, 400],
  [10907, 400],
  // No right to this model or nothing left of it; then too much for a day, for a second, at once.
  [11200, 402],
  [11201, 429],
  [11202, 429],
  [11203, 429],
]);

/** What went wrong, as a status that means the same; `null`: nothing did. */
export const sparkError = (message: unknown): { readonly status: number; readonly message: string } | null => {
  const header = at(message, 'header');
  const code = at(header, 'code');
  if (typeof code !== 'number' || code === 0) return null;
  return { status: STATUSES.get(code) ?? 500, message: textOf(at(header, 'message')) || `error ${code}` };
};

/** The last message of an answer says so. */
export const isLastOfSpark = (message: unknown): boolean => {
  const status = at(at(message, 'header'), 'status');
  return status === 2 || at(at(at(message, 'payload'), 'choices'), 'status') === 2;
};

const usageOf = (message: unknown): Json | null => {
  const counted = at(at(at(message, 'payload'), 'usage'), 'text');
  return isRecord(counted) && typeof counted['prompt_tokens'] === 'number'
    ? { prompt_tokens: counted['prompt_tokens'], completion_tokens: counted['completion_tokens'] ?? 0 }
    : null;
};

/**
 * Messages of Spark’s as chunks of OpenAI’s chat completions. A call of a function has no id and comes at most once in an answer; its pieces, where it comes
 * in several, are put together.
 */
export class SparkChunks implements Teller {
  readonly #chunks: Chunks;
  #hasBegun = false;
  #isOver = false;
  #call: { name: string; given: string } | null = null;

  /** `created` in seconds since the epoch. */
  constructor(created: number, model: string) {
    this.#chunks = new Chunks('', created, model);
  }

  push(message: unknown): readonly Told[] {
    if (!isRecord(message) || this.#isOver) return [];
    const error = sparkError(message);
    if (error !== null) {
      this.#isOver = true;
      return [{ chunk: wordedError(error.status, error) }];
    }
    const told: Told[] = [];
    const sid = textOf(at(message['header'], 'sid'));
    for (const one of list(at(at(message['payload'], 'choices'), 'text'))) {
      if (!isRecord(one)) continue;
      if (!this.#hasBegun) {
        this.#hasBegun = true;
        this.#chunks.id = `chatcmpl-${sid}`;
        told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
      }
      const thought = textOf(one['reasoning_content']);
      if (thought !== '') told.push(this.#chunks.delta({ reasoning_content: thought }));
      const text = textOf(one['content']);
      if (text !== '') told.push(this.#chunks.delta({ content: text }));
      this.#hear(one['function_call']);
    }
    if (!isLastOfSpark(message)) return told.length === 0 ? ['alive'] : told;
    this.#isOver = true;
    if (this.#call !== null) {
      const { name, given } = this.#call;
      const call = { index: 0, id: `call_${sid}`, type: 'function', function: { name, arguments: given } };
      told.push(this.#chunks.delta({ tool_calls: [call] }));
    }
    told.push(this.#chunks.delta({}, this.#call === null ? 'stop' : 'tool_calls'));
    const usage = usageOf(message);
    if (usage !== null) told.push(this.#chunks.usage(usage));
    return [...told, 'done'];
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }

  #hear(call: unknown): void {
    if (!isRecord(call)) return;
    this.#call ??= { name: '', given: '' };
    this.#call.name ||= textOf(call['name']);
    this.#call.given += textOf(call['arguments']);
  }
}
