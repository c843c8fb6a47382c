import { inputOf } from '../../../domain/tokens/chat-text.ts';
import { boundInput } from '../../../domain/tokens/prompt-bound.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import { EmbeddingsRequest } from '../../../schemas/openai/embeddings-request.ts';
import { convertRequest, vectorsAsBase64 } from '../convert.ts';
import type { Span } from '../json-spans.ts';
import { firstIssue, readObject } from '../parse.ts';
import { readUsage } from '../read-usage.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { countBoth } from './count-tokens.ts';
import type { EndpointRules } from './endpoint.ts';
import { jsonInAndOut } from './json-in-and-out.ts';
import { NOTHING_PRODUCED, promptOnly } from './prompt-only.ts';

const MEMBERS = ['model', 'input', 'encoding_format', 'dimensions'] as const;

export interface ParsedEmbeddings {
  readonly endpoint: 'embeddings';
  readonly body: Buffer;
  readonly request: EmbeddingsRequest;
  readonly spans: { readonly model: Span };
  readonly inside: number;
}

const parse = (body: Buffer, limits: RelayLimits): ParsedEmbeddings | Refusal => {
  const read = readObject(body, MEMBERS, limits);
  if ('refused' in read) return read;
  const parsed = EmbeddingsRequest.safeParse(read.value);
  if (!parsed.success) return firstIssue(parsed.error);
  return { endpoint: 'embeddings', body, request: parsed.data, spans: { model: read.spans[0] as Span }, inside: read.inside };
};

export const embeddings: EndpointRules<ParsedEmbeddings> = {
  ...jsonInAndOut,
  door: 'embeddings',
  kinds: new Set(['embedding', 'other']),
  path: '/embeddings',
  canCharge: ({ rates }) => rates.call !== undefined || rates.input !== undefined,
  parse,
  streamed: () => false,
  bound: ({ body }) => promptOnly(boundInput(body.length)),
  convert: convertRequest,
  reading: (answer) => readUsage(answer, 'embeddings'),
  produced: () => NOTHING_PRODUCED,
  estimate: (counter, { request }, _price, produced) => countBoth(counter, inputOf(request), produced),
  toolUses: () => 0,
  finish: (body, { request }) => (request.encoding_format === 'base64' ? vectorsAsBase64(body) : body),
};
