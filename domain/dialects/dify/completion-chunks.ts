import { Chunks } from '../chat/chunks.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { wordedError } from '../openai/worded-error.ts';

/**
 * Events of an app of Dify’s as chunks of OpenAI’s chat completions. What an agent thinks comes among its messages, and again as thoughts: those say nothing new.
 *
 * | event                      | comes to                                                 |
 * |----------------------------|----------------------------------------------------------|
 * | `message`, `agent_message` | a piece of text                                          |
 * | `message_replace`          | the end: what was said is withdrawn by moderation        |
 * | `message_end`              | the reason for the end, the usage, the end               |
 * | `error`                    | an error                                                 |
 * | any other                  | a sign of life                                           |
 */
export class DifyChunks implements Teller {
  readonly #chunks: Chunks;
  #hasBegun = false;
  #isWithdrawn = false;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(created: number, model: string) {
    this.#chunks = new Chunks('', created, model);
  }

  push(event: unknown): readonly Told[] {
    if (!isRecord(event) || this.#isOver) return [];
    switch (event['event']) {
      case 'message':
      case 'agent_message':
        return this.#isWithdrawn ? ['alive'] : this.#said(textOf(event['answer']), event['message_id']);
      case 'message_replace':
        this.#isWithdrawn = true;
        return ['alive'];
      case 'message_end':
        return this.#end(isRecord(event['metadata']) ? event['metadata']['usage'] : null);
      case 'error': {
        this.#isOver = true;
        const status = typeof event['status'] === 'number' ? event['status'] : 500;
        return [{ chunk: wordedError(status, event) }];
      }
      default:
        return ['alive'];
    }
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }

  #said(text: string, id: unknown): readonly Told[] {
    if (text === '') return ['alive'];
    const told: Told[] = [];
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#chunks.id = `chatcmpl-${textOf(id)}`;
      told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
    }
    return [...told, this.#chunks.delta({ content: text })];
  }

  #end(usage: unknown): readonly Told[] {
    this.#isOver = true;
    const last = this.#chunks.delta({}, this.#isWithdrawn ? 'content_filter' : 'stop');
    if (!isRecord(usage) || typeof usage['prompt_tokens'] !== 'number') return [last, 'done'];
    const counted = { prompt_tokens: usage['prompt_tokens'], completion_tokens: usage['completion_tokens'] ?? 0 };
    return [last, this.#chunks.usage(counted), 'done'];
  }
}
