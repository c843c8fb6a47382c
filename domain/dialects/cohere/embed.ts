import type { Refusal } from '../../../schemas/errors.ts';
import type { EmbeddingsRequest } from '../../../schemas/openai/embeddings-request.ts';
import { embeddingsFrom, textsToEmbed } from '../chat/embeddings.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** A request of OpenAI's embeddings as Cohere's. What the vectors are for has no place in OpenAI's form: whoever says `input_type` is heard, else documents are. */
export const cohereEmbedBody = (request: EmbeddingsRequest, upstreamModel: string): Json | Refusal => {
  const texts = textsToEmbed(request);
  if ('refused' in texts) return texts;
  const dimensions = request['dimensions'];
  return {
    model: upstreamModel,
    texts,
    input_type: textOf(request['input_type']) || 'search_document',
    embedding_types: ['float'],
    ...(typeof dimensions === 'number' ? { output_dimension: dimensions } : {}),
  };
};

/** Cohere's vectors in OpenAI's form; `null` for what are none. */
export const cohereEmbeddings = (answer: unknown, model: string): Json | null => {
  if (!isRecord(answer) || !isRecord(answer['embeddings']) || !Array.isArray(answer['embeddings']['float'])) return null;
  const meta = isRecord(answer['meta']) ? answer['meta'] : {};
  const billed = isRecord(meta['billed_units']) ? meta['billed_units'] : {};
  return embeddingsFrom(answer['embeddings']['float'], model, billed['input_tokens']);
};
