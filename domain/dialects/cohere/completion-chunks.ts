import { Chunks } from '../chat/chunks.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { cohereFinish } from './finish-reason.ts';
import { cohereUsage } from './reported-usage.ts';

type Json = Readonly<Record<string, unknown>>;

const NOTHING: Json = {};

const within = (value: unknown, name: string): Json => {
  const inner = isRecord(value) ? value[name] : undefined;
  return isRecord(inner) ? inner : NOTHING;
};

/**
 * Events of Cohere's chat as chunks of OpenAI's chat completions.
 *
 * | event                             | comes to                                        |
 * |-----------------------------------|-------------------------------------------------|
 * | `message-start`                   | the chunk with the role                         |
 * | `content-start`, `content-delta`  | a piece of text or of a thought                 |
 * | `tool-plan-delta`                 | a piece of a thought                            |
 * | `tool-call-start`                 | a call's id and name, under the next number     |
 * | `tool-call-delta`                 | a piece of its arguments                        |
 * | `tool-call-end`                   | empty arguments, where there were none          |
 * | `message-end`                     | the reason for the end, the usage, the end      |
 * | any other                         | a sign of life                                  |
 */
export class CohereChunks implements Teller {
  readonly #chunks: Chunks;
  #calls = 0;
  #hasArguments = false;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(created: number, model: string) {
    this.#chunks = new Chunks('', created, model);
  }

  push(event: unknown): readonly Told[] {
    if (!isRecord(event) || this.#isOver) return [];
    const message = within(event['delta'], 'message');
    switch (event['type']) {
      case 'message-start':
        this.#chunks.id = `chatcmpl-${textOf(event['id'])}`;
        return [this.#chunks.delta({ role: 'assistant', content: '' })];
      case 'content-start':
      case 'content-delta': {
        const { text, thinking } = within(message, 'content');
        return this.#said('reasoning_content', thinking) ?? this.#said('content', text) ?? ['alive'];
      }
      case 'tool-plan-delta':
        return this.#said('reasoning_content', message['tool_plan']) ?? ['alive'];
      case 'tool-call-start': {
        const call = within(message, 'tool_calls');
        const named = within(call, 'function');
        const begun = { name: textOf(named['name']), arguments: textOf(named['arguments']) };
        this.#hasArguments = begun.arguments !== '';
        return [this.#chunks.delta({ tool_calls: [{ index: this.#calls++, id: textOf(call['id']), type: 'function', function: begun }] })];
      }
      case 'tool-call-delta':
        return this.#arguments(textOf(within(within(message, 'tool_calls'), 'function')['arguments']));
      case 'tool-call-end':
        return this.#hasArguments ? [] : this.#arguments('{}');
      case 'message-end':
        return this.#end(isRecord(event['delta']) ? event['delta'] : NOTHING);
      default:
        return ['alive'];
    }
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }

  #said(name: string, text: unknown): readonly Told[] | null {
    return textOf(text) === '' ? null : [this.#chunks.delta({ [name]: text })];
  }

  #arguments(text: string): readonly Told[] {
    if (text === '' || this.#calls === 0) return ['alive'];
    this.#hasArguments = true;
    return [this.#chunks.delta({ tool_calls: [{ index: this.#calls - 1, function: { arguments: text } }] })];
  }

  #end(delta: Json): readonly Told[] {
    this.#isOver = true;
    const error = textOf(delta['error']);
    if (error !== '') return [{ chunk: { error: { message: error, type: 'server_error', param: null, code: null } } }];
    const usage = cohereUsage(delta['usage']);
    return [this.#chunks.delta({}, cohereFinish(delta['finish_reason'])), ...(usage === null ? [] : [this.#chunks.usage(usage)]), 'done'];
  }
}
