import { Chunks } from '../chat/chunks.ts';
import { embeddingsFrom } from '../chat/embeddings.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { wordedError } from '../openai/worded-error.ts';

type Json = Readonly<Record<string, unknown>>;

/** Baidu’s codes, by the status that means the same. What is not among them is an error of the provider’s. */
const STATUSES: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [3, 404],
  [4, 429],
  [6, 403],
  [13, 401],
  [14, 401],
  [15, 401],
  [17, 402],
  [18, 429],
  [19, 402],
  [100, 401],
  // The token was stale, not the key; the next call gets another.
  [110, 503],
  [111, 503],
  [336001, 400],
  [336002, 400],
  [336003, 400],
  [336006, 400],
  [336007, 400],
  [336104, 400],
  [336200, 503],
  [336501, 429],
  [336502, 429],
]);

/** What went wrong, as a status that means the same; `null`: nothing did. Baidu’s errors come with a status of success. */
export const wenxinError = (answer: unknown): { readonly status: number; readonly message: string } | null => {
  const code = isRecord(answer) ? answer['error_code'] : undefined;
  if (!isRecord(answer) || typeof code !== 'number' || code === 0) return null;
  return { status: STATUSES.get(code) ?? 500, message: textOf(answer['error_msg']) || `error ${code}` };
};

const usageOf = (usage: unknown): Json | null =>
  isRecord(usage) && usage['prompt_tokens'] !== undefined
    ? { prompt_tokens: usage['prompt_tokens'], completion_tokens: usage['completion_tokens'] ?? 0 }
    : null;

const finish = (answer: Json): string => {
  const reason = answer['finish_reason'];
  if (answer['is_truncated'] === true || reason === 'length') return 'length';
  return reason === 'content_filter' ? 'content_filter' : 'stop';
};

/** Answers of wenxinworkshop’s, whole or in pieces, as chunks of OpenAI’s chat completions: `is_end` says which piece is the last. */
export class WenxinChunks implements Teller {
  readonly #chunks: Chunks;
  #hasBegun = false;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(created: number, model: string) {
    this.#chunks = new Chunks('', created, model);
  }

  push(event: unknown): readonly Told[] {
    if (!isRecord(event) || this.#isOver) return [];
    const error = wenxinError(event);
    if (error !== null) {
      this.#isOver = true;
      return [{ chunk: wordedError(error.status, error) }];
    }
    if (typeof event['result'] !== 'string') return ['alive'];
    const told: Told[] = [];
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#chunks.id = `chatcmpl-${textOf(event['id'])}`;
      told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
    }
    if (event['result'] !== '') told.push(this.#chunks.delta({ content: event['result'] }));
    // A whole answer has no such member.
    if (event['is_end'] === false) return told.length === 0 ? ['alive'] : told;
    this.#isOver = true;
    told.push(this.#chunks.delta({}, finish(event)));
    const usage = usageOf(event['usage']);
    if (usage !== null) told.push(this.#chunks.usage(usage));
    return [...told, 'done'];
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }
}

/** Vectors in OpenAI’s form; `null` for what are none. */
export const wenxinEmbeddings = (answer: unknown, model: string): Json | null => {
  if (!isRecord(answer) || !Array.isArray(answer['data'])) return null;
  const vectors = (answer['data'] as readonly unknown[]).map((one) => (isRecord(one) ? one['embedding'] : []));
  return embeddingsFrom(vectors, model, isRecord(answer['usage']) ? answer['usage']['prompt_tokens'] : undefined);
};
