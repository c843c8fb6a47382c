import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { EmbeddingsRequest } from '../../../schemas/openai/embeddings-request.ts';
import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** A request for embeddings as one of Google's batchEmbedContents. `resource`: the model as Google's paths name it. */
export const embedBody = ({ input, dimensions }: EmbeddingsRequest, resource: string): Json | Refusal => {
  const inputs: readonly unknown[] = typeof input === 'string' ? [input] : input;
  const requests: Json[] = [];
  for (const text of inputs) {
    if (typeof text !== 'string') return refuse('invalid_request', 'input: this model takes texts, not tokens.', { param: 'input' });
    requests.push({
      model: resource,
      content: { parts: [{ text }] },
      ...(dimensions === null || dimensions === undefined ? {} : { outputDimensionality: dimensions }),
    });
  }
  return { requests };
};

/** Google's vectors as OpenAI tells them; `null` for what are none. Usage is only there where Google tells it. */
export const embeddingsOf = (body: unknown, model: string): Json | null => {
  if (!isRecord(body) || !Array.isArray(body['embeddings'])) return null;
  const vectors = body['embeddings'] as readonly unknown[];
  const usage = isRecord(body['usageMetadata']) ? body['usageMetadata']['promptTokenCount'] : undefined;
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: isRecord(vector) ? vector['values'] : [] })),
    model,
    ...(usage === undefined ? {} : { usage: { prompt_tokens: usage, total_tokens: usage } }),
  };
};
