import type { Refusal } from '../../../schemas/errors.ts';
import type { EmbeddingsRequest } from '../../../schemas/openai/embeddings-request.ts';
import { embeddingsFrom, textsToEmbed } from '../chat/embeddings.ts';
import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** A request of OpenAI's embeddings as Ollama's. */
export const ollamaEmbedBody = (request: EmbeddingsRequest, upstreamModel: string): Json | Refusal => {
  const texts = textsToEmbed(request);
  if ('refused' in texts) return texts;
  const dimensions = request['dimensions'];
  return { model: upstreamModel, input: texts, ...(typeof dimensions === 'number' ? { dimensions } : {}) };
};

/** Ollama's vectors in OpenAI's form; `null` for what are none. */
export const ollamaEmbeddings = (answer: unknown, model: string): Json | null =>
  isRecord(answer) && Array.isArray(answer['embeddings']) ? embeddingsFrom(answer['embeddings'], model, answer['prompt_eval_count']) : null;
