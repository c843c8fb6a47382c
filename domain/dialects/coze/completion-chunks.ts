import { Chunks } from '../chat/chunks.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { wordedError } from '../openai/worded-error.ts';

type Json = Readonly<Record<string, unknown>>;

/** Coze’s codes, by the status that means the same. What is not among them is an error of the provider’s. */
const STATUSES: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [4000, 400],
  [4001, 400],
  [4010, 429],
  [4011, 402],
  [4012, 402],
  [4013, 429],
  [4015, 403],
  [4018, 429],
  [4019, 402],
  [4028, 402],
  [4100, 401],
  [4101, 403],
  [4200, 404],
  [700012006, 401],
]);

/** What went wrong, as a status that means the same; `null`: nothing did. Coze’s errors come with a status of success. */
export const cozeError = (answer: unknown): { readonly status: number; readonly message: string } | null => {
  const code = isRecord(answer) ? answer['code'] : undefined;
  if (!isRecord(answer) || typeof code !== 'number' || code === 0) return null;
  return { status: STATUSES.get(code) ?? 500, message: textOf(answer['msg']) || `error ${code}` };
};

const usageOf = (usage: unknown): Json | null =>
  isRecord(usage) && typeof usage['input_count'] === 'number'
    ? { prompt_tokens: usage['input_count'], completion_tokens: usage['output_count'] ?? 0 }
    : null;

/**
 * Events of a bot of Coze’s, each as `{event, data}`, as chunks of OpenAI’s chat completions.
 *
 * | event                                        | comes to                                    |
 * |----------------------------------------------|---------------------------------------------|
 * | `conversation.message.delta` of an `answer`  | a piece of text, or of a thought            |
 * | `conversation.chat.completed`                | the reason for the end, the usage, the end  |
 * | `conversation.chat.failed`, `error`          | an error                                    |
 * | `conversation.chat.requires_action`          | an error: its tools are asked of nobody     |
 * | any other                                    | a sign of life                              |
 */
export class CozeChunks implements Teller {
  readonly #chunks: Chunks;
  #hasBegun = false;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(created: number, model: string) {
    this.#chunks = new Chunks('', created, model);
  }

  push(said: unknown): readonly Told[] {
    if (!isRecord(said) || this.#isOver) return [];
    const data = isRecord(said['data']) ? said['data'] : {};
    switch (said['event']) {
      case 'conversation.message.delta':
        return data['type'] === 'answer' ? this.#said(data) : ['alive'];
      case 'conversation.chat.completed': {
        this.#isOver = true;
        const usage = usageOf(data['usage']);
        return [this.#chunks.delta({}, 'stop'), ...(usage === null ? [] : [this.#chunks.usage(usage)]), 'done'];
      }
      case 'conversation.chat.failed':
        return this.#fail(cozeError(data['last_error']));
      case 'conversation.chat.requires_action':
        return this.#fail({ status: 400, message: 'The bot waits for the result of a tool.' });
      case 'error':
        return this.#fail(cozeError(data));
      default:
        return ['alive'];
    }
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }

  #said(data: Json): readonly Told[] {
    const told: Told[] = [];
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#chunks.id = `chatcmpl-${textOf(data['chat_id'])}`;
      told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
    }
    const thought = textOf(data['reasoning_content']);
    if (thought !== '') told.push(this.#chunks.delta({ reasoning_content: thought }));
    const text = textOf(data['content']);
    if (text !== '') told.push(this.#chunks.delta({ content: text }));
    return told.length === 0 ? ['alive'] : told;
  }

  #fail(error: { readonly status: number; readonly message: string } | null): readonly Told[] {
    this.#isOver = true;
    const told = error ?? { status: 500, message: 'The bot failed and did not say why.' };
    return [{ chunk: wordedError(told.status, told) }];
  }
}
