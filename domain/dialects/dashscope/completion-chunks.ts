import { Chunks } from '../chat/chunks.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { wordedError } from '../openai/worded-error.ts';

type Json = Readonly<Record<string, unknown>>;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** A text, or the texts of a list. */
const said = (content: unknown): string =>
  Array.isArray(content) ? content.map((item: unknown) => (isRecord(item) ? textOf(item['text']) : '')).join('') : textOf(content);

const given = (name: string, count: unknown): Json => (typeof count === 'number' && count > 0 ? { [name]: count } : {});

/** DashScope’s usage in OpenAI’s form; `null` where it tells none. What of a prompt was a picture or a sound stands beside the totals or in details. */
export const dashscopeUsage = (usage: unknown): Json | null => {
  if (!isRecord(usage) || usage['input_tokens'] === undefined) return null;
  const { input_tokens: prompt, output_tokens: output = 0 } = usage;
  const read = isRecord(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : {};
  const seen = isRecord(usage['input_tokens_details']) ? usage['input_tokens_details'] : {};
  const written = isRecord(usage['output_tokens_details']) ? usage['output_tokens_details'] : {};
  const promptDetails = {
    ...given('cached_tokens', read['cached_tokens']),
    ...given('cache_creation_input_tokens', read['cache_creation_input_tokens']),
    ...given('image_tokens', seen['image_tokens'] ?? usage['image_tokens']),
    ...given('audio_tokens', seen['audio_tokens'] ?? usage['audio_tokens']),
  };
  const outputDetails = {
    ...given('reasoning_tokens', written['reasoning_tokens']),
    ...given('audio_tokens', written['audio_tokens']),
  };
  return {
    prompt_tokens: prompt,
    completion_tokens: output,
    ...(Object.keys(promptDetails).length === 0 ? {} : { prompt_tokens_details: promptDetails }),
    ...(Object.keys(outputDetails).length === 0 ? {} : { completion_tokens_details: outputDetails }),
  };
};

/**
 * Answers of DashScope’s, whole or in pieces (`incremental_output`), as chunks of OpenAI’s chat completions. Each has the usage up to then: the last one’s
 * counts. While an answer goes on, its `finish_reason` is the text `null`.
 */
export class DashscopeChunks implements Teller {
  readonly #chunks: Chunks;
  #hasBegun = false;
  #usage: Json | null = null;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(created: number, model: string) {
    this.#chunks = new Chunks('', created, model);
  }

  push(event: unknown): readonly Told[] {
    if (!isRecord(event) || this.#isOver) return [];
    if (textOf(event['code']) !== '') {
      this.#isOver = true;
      return [{ chunk: wordedError(500, event) }];
    }
    const output = isRecord(event['output']) ? event['output'] : {};
    const choice = list(output['choices'])[0];
    this.#usage = dashscopeUsage(event['usage']) ?? this.#usage;
    if (!isRecord(choice)) return ['alive'];
    const told: Told[] = [];
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#chunks.id = `chatcmpl-${textOf(event['request_id'])}`;
      told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
    }
    const message = isRecord(choice['message']) ? choice['message'] : {};
    const thought = textOf(message['reasoning_content']);
    if (thought !== '') told.push(this.#chunks.delta({ reasoning_content: thought }));
    const text = said(message['content']);
    if (text !== '') told.push(this.#chunks.delta({ content: text }));
    const calls = list(message['tool_calls']).filter(isRecord);
    for (const [place, { index = place, id, function: named }] of calls.entries()) {
      const given = isRecord(named) ? named : {};
      const begins = textOf(id) !== '';
      const call = {
        index,
        ...(begins ? { id, type: 'function' } : {}),
        function: { ...(textOf(given['name']) === '' ? {} : { name: given['name'] }), arguments: textOf(given['arguments']) },
      };
      told.push(this.#chunks.delta({ tool_calls: [call] }));
    }
    const reason = textOf(choice['finish_reason']);
    if (reason === '' || reason === 'null') return told.length === 0 ? ['alive'] : told;
    this.#isOver = true;
    told.push(this.#chunks.delta({}, reason));
    if (this.#usage !== null) told.push(this.#chunks.usage(this.#usage));
    return [...told, 'done'];
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }
}
