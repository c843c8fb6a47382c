import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { EmbeddingsRequest } from '../../../schemas/openai/embeddings-request.ts';

type Json = Readonly<Record<string, unknown>>;

/** The texts to embed; tokens mean nothing to models with another tokenizer than OpenAI's. */
export const textsToEmbed = ({ input }: EmbeddingsRequest): readonly string[] | Refusal => {
  const texts = typeof input === 'string' ? [input] : input;
  return texts.every((text): text is string => typeof text === 'string')
    ? texts
    : refuse('invalid_request', 'input: send texts; tokens cannot be passed on to this model.', { param: 'input' });
};

/** Vectors as an answer of OpenAI's embeddings; `promptTokens` is what the upstream told, whatever that was. */
export const embeddingsFrom = (vectors: readonly unknown[], model: string, promptTokens: unknown): Json => ({
  object: 'list',
  data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  model,
  ...(promptTokens === undefined || promptTokens === null ? {} : { usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } }),
});
