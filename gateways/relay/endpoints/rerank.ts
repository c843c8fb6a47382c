import { readTokens, searchUnits, textOfDocument, useOfRanking, withResults } from '../../../domain/dialects/rerank/ranking.ts';
import { readOpenAIUsage, type UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { approximateTokens } from '../../../domain/tokens/approximate.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import { RerankRequest } from '../../../schemas/rerank/rerank-request.ts';
import { convertRequest } from '../convert.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { valueOfAnswer } from '../hub-answer.ts';
import type { Span } from '../json-spans.ts';
import { firstIssue, readObject } from '../parse.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { EndpointRules } from './endpoint.ts';
import { jsonInAndOut } from './json-in-and-out.ts';
import { NOTHING_PRODUCED, promptOnly } from './prompt-only.ts';

export interface ParsedRerank {
  readonly endpoint: 'rerank';
  readonly body: Buffer;
  readonly request: RerankRequest;
  readonly spans: { readonly model: Span };
  readonly inside: number;
}

const MEMBERS = ['model', 'query', 'documents', 'top_n', 'return_documents'] as const;

const parse = (body: Buffer, limits: RelayLimits): ParsedRerank | Refusal => {
  const read = readObject(body, MEMBERS, limits);
  if ('refused' in read) return read;
  const parsed = RerankRequest.safeParse(read.value);
  if (!parsed.success) return firstIssue(parsed.error);
  return { endpoint: 'rerank', body, request: parsed.data, spans: { model: read.spans[0] as Span }, inside: read.inside };
};

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** By units of search where the price has a rate for the call, by tokens otherwise. */
const readingOf = (answer: unknown, { rates }: ModelPrice): UsageReading => {
  const use = useOfRanking(answer);
  const tokens = readOpenAIUsage(use.usage, 'embeddings');
  if (rates.call === undefined || tokens.kind === 'unbelievable') return tokens;
  const units = use.searchUnits;
  if (units === undefined || units === null) return { kind: 'absent' };
  if (!isCount(units)) return { kind: 'unbelievable', why: 'search_units is not a count' };
  const read = tokens.kind === 'reported' ? tokens.usage : {};
  return { kind: 'reported', usage: { ...read, call: units }, promptTokens: read.input ?? 0, outputTokens: 0 };
};

const bytesOf = (text: string): number => Buffer.byteLength(text);

/** Reranking, in Jina's shape and in both of Cohere's: their requests differ in nothing that matters here, and upstreams of either take both. */
export const rerank: EndpointRules<ParsedRerank> = {
  ...jsonInAndOut,
  door: 'rerank',
  kinds: new Set(['rerank', 'other']),
  path: '/rerank',
  canCharge: ({ rates }) => rates.call !== undefined || rates.input !== undefined,
  parse,
  streamed: () => false,
  bound: ({ request }) => {
    const bounded = promptOnly(readTokens(request, bytesOf));
    return { ...bounded, bound: { ...bounded.bound, calls: searchUnits(request, bytesOf) } };
  },
  convert: convertRequest,
  reading: ({ body }, _parsed, price) => readingOf(valueOfAnswer(body), price),
  produced: () => NOTHING_PRODUCED,
  estimate: async (counter, { request }, { rates }) => {
    if (rates.call !== undefined) return { call: searchUnits(request, approximateTokens) };
    const [query, documents] = await Promise.all([
      counter.count([textOfDocument(request.query)]),
      counter.count(request.documents.map(textOfDocument)),
    ]);
    return { input: query * request.documents.length + documents };
  },
  toolUses: () => 0,
  finish: (body, { request }) => Buffer.from(JSON.stringify(withResults(parsedJson(body.toString('utf8')), request))),
};
