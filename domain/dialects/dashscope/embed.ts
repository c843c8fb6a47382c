import type { Refusal } from '../../../schemas/errors.ts';
import type { EmbeddingsRequest } from '../../../schemas/openai/embeddings-request.ts';
import { embeddingsFrom, textsToEmbed } from '../chat/embeddings.ts';
import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** A request of OpenAI’s embeddings as DashScope’s. */
export const dashscopeEmbedBody = (request: EmbeddingsRequest, upstreamModel: string): Json | Refusal => {
  const texts = textsToEmbed(request);
  if ('refused' in texts) return texts;
  const dimension = request['dimensions'];
  return {
    model: upstreamModel,
    input: { texts },
    ...(typeof dimension === 'number' ? { parameters: { dimension } } : {}),
  };
};

/** DashScope’s vectors in OpenAI’s form; `null` for what are none. They say which text each is of. */
export const dashscopeEmbeddings = (answer: unknown, model: string): Json | null => {
  const output = isRecord(answer) && isRecord(answer['output']) ? answer['output'] : {};
  if (!isRecord(answer) || !Array.isArray(output['embeddings'])) return null;
  const vectors = (output['embeddings'] as readonly unknown[])
    .filter(isRecord)
    .sort((one, other) => Number(one['text_index']) - Number(other['text_index']));
  const usage = isRecord(answer['usage']) ? answer['usage'] : {};
  return embeddingsFrom(
    vectors.map(({ embedding }) => embedding),
    model,
    usage['total_tokens'],
  );
};
