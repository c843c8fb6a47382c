import { Chunks } from '../chat/chunks.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { wordedError } from '../openai/worded-error.ts';

type Json = Readonly<Record<string, unknown>>;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** What went wrong, as a status that means the same; `null`: nothing did. Tencent’s errors come with a status of success. */
export const hunyuanError = (answer: unknown): { readonly status: number; readonly message: string } | null => {
  const response = isRecord(answer) && isRecord(answer['Response']) ? answer['Response'] : answer;
  if (!isRecord(response)) return null;
  const error = isRecord(response['Error']) ? response['Error'] : isRecord(response['ErrorMsg']) ? response['ErrorMsg'] : null;
  if (error === null) return null;
  const code = textOf(error['Code']);
  const message = textOf(error['Message']) || textOf(error['Msg']) || code;
  const status = code.startsWith('AuthFailure')
    ? 401
    : code.startsWith('UnauthorizedOperation')
      ? 403
      : /^(?:RequestLimitExceeded|LimitExceeded)/.test(code)
        ? 429
        : /ResourceInsufficient|ResourceUnavailable/.test(code)
          ? 402
          : /^(?:InvalidParameter|MissingParameter|UnknownParameter|UnsupportedOperation|FailedOperation\.(?:Partner|Moderation))/.test(
                code,
              )
            ? 400
            : 500;
  return { status, message };
};

const usageOf = (usage: unknown): Json | null =>
  isRecord(usage) && typeof usage['PromptTokens'] === 'number'
    ? { prompt_tokens: usage['PromptTokens'], completion_tokens: usage['CompletionTokens'] ?? 0 }
    : null;

/** Answers of Hunyuan’s, whole or in pieces, as chunks of OpenAI’s chat completions. */
export class HunyuanChunks implements Teller {
  readonly #chunks: Chunks;
  #hasBegun = false;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(created: number, model: string) {
    this.#chunks = new Chunks('', created, model);
  }

  push(event: unknown): readonly Told[] {
    if (!isRecord(event) || this.#isOver) return [];
    const error = hunyuanError(event);
    if (error !== null) {
      this.#isOver = true;
      return [{ chunk: wordedError(error.status, error) }];
    }
    const response = isRecord(event['Response']) ? event['Response'] : event;
    const choice = list(response['Choices'])[0];
    if (!isRecord(choice)) return ['alive'];
    const told: Told[] = [];
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#chunks.id = `chatcmpl-${textOf(response['Id'])}`;
      told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
    }
    const said = isRecord(choice['Delta']) ? choice['Delta'] : isRecord(choice['Message']) ? choice['Message'] : {};
    const thought = textOf(said['ReasoningContent']);
    if (thought !== '') told.push(this.#chunks.delta({ reasoning_content: thought }));
    const text = textOf(said['Content']);
    if (text !== '') told.push(this.#chunks.delta({ content: text }));
    for (const [place, call] of list(said['ToolCalls']).entries()) if (isRecord(call)) told.push(this.#call(place, call));
    const reason = textOf(choice['FinishReason']);
    if (reason === '') return told.length === 0 ? ['alive'] : told;
    this.#isOver = true;
    told.push(this.#chunks.delta({}, reason === 'sensitive' ? 'content_filter' : reason));
    const usage = usageOf(response['Usage']);
    if (usage !== null) told.push(this.#chunks.usage(usage));
    return [...told, 'done'];
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }

  #call(place: number, { Index: index, Id: id, Function: named }: Json): Told {
    const { Name: name, Arguments: given } = isRecord(named) ? named : {};
    return this.#chunks.delta({
      tool_calls: [
        {
          index: typeof index === 'number' ? index : place,
          ...(textOf(id) === '' ? {} : { id, type: 'function' }),
          function: { ...(textOf(name) === '' ? {} : { name }), arguments: textOf(given) },
        },
      ],
    });
  }
}
