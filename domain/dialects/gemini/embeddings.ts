import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { EmbedContentRequest } from '../../../schemas/gemini/embed-content-request.ts';
import { isRecord } from '../loose-json.ts';

/** The text of a content; a refusal where there is something else in it. */
const inputOf = ({ content }: EmbedContentRequest, place: string): string | Refusal => {
  const texts: string[] = [];
  for (const [index, { text }] of content.parts.entries()) {
    if (text === undefined)
      return refuse('invalid_request', `${place}content.parts.${index}: only text is embedded here.`, {
        param: `${place}content.parts.${index}`,
      });
    texts.push(text);
  }
  return texts.join('\n');
};

/**
 * Contents to embed as a body of OpenAI's embeddings. `taskType` and `title` only hint, and are left out.
 * @returns a refusal for what is not text, for requests that name another model than the address does, and for vectors of several sizes.
 */
export const embeddingsRequestOf = (model: string, requests: readonly EmbedContentRequest[], batched: boolean): object | Refusal => {
  const input: string[] = [];
  const dimensions = requests[0]?.outputDimensionality ?? null;
  for (const [index, request] of requests.entries()) {
    const place = batched ? `requests.${index}.` : '';
    if (request.model !== undefined && request.model.replace(/^models\//, '') !== model)
      return refuse('invalid_request', `${place}model: the address names another one.`, { param: `${place}model` });
    if ((request.outputDimensionality ?? null) !== dimensions)
      return refuse('invalid_request', `${place}outputDimensionality: it must be the same for all.`, {
        param: `${place}outputDimensionality`,
      });
    const text = inputOf(request, place);
    if (typeof text !== 'string') return text;
    input.push(text);
  }
  return { model, input, encoding_format: 'float', ...(dimensions === null ? {} : { dimensions }) };
};

/** The vectors of an answer of OpenAI's embeddings, in the order of what was embedded. */
export const vectorsOf = (answer: unknown): readonly { readonly values: unknown }[] => {
  const data = isRecord(answer) && Array.isArray(answer['data']) ? (answer['data'] as readonly unknown[]) : [];
  const items = data.filter(isRecord);
  const place = (item: Readonly<Record<string, unknown>>, otherwise: number): number =>
    typeof item['index'] === 'number' ? item['index'] : otherwise;
  return items
    .map((item, index) => ({ at: place(item, index), values: item['embedding'] }))
    .sort((a, b) => a.at - b.at)
    .map(({ values }) => ({ values }));
};
