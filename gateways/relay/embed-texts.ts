import type { Embedded, EmbedQuestion } from '../../commands/ports/embedder.ts';
import { isRecord } from '../../domain/dialects/loose-json.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Hold } from '../ports/spending.ts';
import type { Caller } from './call.ts';
import { openaiAnswers } from './dialects/openai-answers.ts';
import { parsedJson } from './dialects/parsed-json.ts';
import { ownCall, type OwnCallOptions } from './own-call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { SpendingRoute } from './spending-route.ts';

const EMBEDDINGS: SpendingRoute = { endpoint: 'embeddings', name: '/v1/embeddings', dialect: openaiAnswers, hubBody: null };

const vectorOf = (value: unknown): Float32Array | null => {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'base64');
    if (bytes.length === 0 || bytes.length % 4 !== 0) return null;
    return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
  }
  return Array.isArray(value) && value.every((each) => typeof each === 'number') ? Float32Array.from(value) : null;
};

/** The vectors of an answer in OpenAI's form, in the order of their texts; `null` where it is not one vector of one length for each. */
const vectorsIn = (body: Buffer, texts: number): readonly Float32Array[] | null => {
  const said = parsedJson(body.toString('utf8'));
  const data: unknown = isRecord(said) ? said['data'] : null;
  if (!Array.isArray(data) || data.length !== texts) return null;
  const vectors: Float32Array[] = [];
  for (const [at, item] of data.entries()) {
    if (!isRecord(item)) return null;
    const vector = vectorOf(item['embedding']);
    const { index = at } = item;
    if (vector === null || vector.length === 0 || !vector.every(Number.isFinite)) return null;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= texts) return null;
    vectors[index] = vector;
  }
  const [first] = vectors;
  for (let at = 0; at < texts; at++) if (vectors[at]?.length !== first?.length) return null;
  return vectors;
};

/** Has texts embedded at a caller's cost. */
export const embedTexts = async (
  deps: PipelineDeps,
  caller: Caller,
  { model, texts, keep }: Omit<EmbedQuestion, 'tokenId'>,
  { isCounted }: Pick<OwnCallOptions, 'isCounted'> = {},
): Promise<Embedded | Refusal> => {
  let embedded: Embedded | null = null;
  const body = Buffer.from(JSON.stringify({ model, input: texts, encoding_format: 'float' }));
  const answer = await ownCall(deps, EMBEDDINGS, caller, body, {
    ...(isCounted === undefined ? {} : { isCounted }),
    keep: async (said: Buffer, { requestId, leaseId }: Hold, usedModel: string | null) => {
      // Vectors of several models cannot be compared: one that stands in for another because of a limit is of no use.
      if (usedModel !== model) return refuse('rate_limited', `A limit of the model "${model}" is reached.`);
      const vectors = vectorsIn(said, texts.length);
      if (vectors === null) return refuse('upstream_garbled', 'The upstream sent something that is not one vector for each text.');
      embedded = { requestId, leaseId, vectors };
      return keep === undefined ? null : keep(embedded);
    },
  });
  if (isRefusal(answer)) return answer;
  if (embedded === null) throw new Error('an answer was charged that was not kept before');
  return embedded;
};
