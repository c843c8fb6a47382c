import { embeddingsFrom } from '../chat/embeddings.ts';
import { PiecewiseTeller, type Piece } from '../chat/piecewise-teller.ts';
import type { Teller } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';

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

/** `is_end` says which piece is the last; a whole answer has no such member. */
const piece = (event: Json): Piece | null => {
  const { result } = event;
  if (typeof result !== 'string') return null;
  return {
    id: textOf(event['id']),
    deltas: result === '' ? [] : [{ content: result }],
    finish: event['is_end'] === false ? null : finish(event),
    usage: usageOf(event['usage']),
  };
};

/** Answers of wenxinworkshop’s, whole or in pieces, as chunks of OpenAI’s chat completions. `created` in seconds since the epoch. */
export const wenxinTeller = (created: number, model: string): Teller => new PiecewiseTeller({ error: wenxinError, piece }, created, model);

/** Vectors in OpenAI’s form; `null` for what are none. */
export const wenxinEmbeddings = (answer: unknown, model: string): Json | null => {
  if (!isRecord(answer) || !Array.isArray(answer['data'])) return null;
  const vectors = (answer['data'] as readonly unknown[]).map((one) => (isRecord(one) ? one['embedding'] : []));
  return embeddingsFrom(vectors, model, isRecord(answer['usage']) ? answer['usage']['prompt_tokens'] : undefined);
};
