import type { RerankRequest } from '../../../schemas/rerank/rerank-request.ts';
import { isRecord } from '../loose-json.ts';

/** Documents that one unit of search covers, and tokens from which on a document is taken for several: Cohere's published rule. */
const DOCUMENTS_PER_UNIT = 100;
const TOKENS_PER_DOCUMENT = 500;
/** What a long query leaves of a document's tokens, at the least. */
const LEAST_LEFT = 100;

type Counts = (text: string) => number;

/** The text of a document, or of a query: its own, or all that it holds. */
export const textOfDocument = (document: RerankRequest['documents'][number]): string => {
  if (typeof document === 'string') return document;
  return typeof document['text'] === 'string' ? document['text'] : JSON.stringify(document);
};

/** Units of search that a call is billed for, when a text has as many tokens as `count` says. */
export const searchUnits = ({ query, documents }: RerankRequest, count: Counts): number => {
  const left = Math.max(LEAST_LEFT, TOKENS_PER_DOCUMENT - count(textOfDocument(query)));
  const pieces = documents.reduce((sum, document) => sum + Math.max(1, Math.ceil(count(textOfDocument(document)) / left)), 0);
  return Math.ceil(pieces / DOCUMENTS_PER_UNIT);
};

/** Tokens that a call reads: the query is read again with every document. */
export const readTokens = ({ query, documents }: RerankRequest, count: Counts): number => {
  const ofQuery = count(textOfDocument(query));
  return documents.reduce((sum, document) => sum + ofQuery + count(textOfDocument(document)), 0);
};

/** What an upstream says of its own use. */
export interface RankingUse {
  readonly searchUnits: unknown;
  /** In the form of OpenAI's usage; `undefined`: nothing is said. */
  readonly usage: unknown;
}

const member = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), value);

/** Use as Jina and Voyage (`usage.total_tokens`) and Cohere (`meta.billed_units`) tell it. */
export const useOfRanking = (answer: unknown): RankingUse => {
  const usage = member(answer, 'usage');
  const total =
    member(usage, 'prompt_tokens') ??
    member(usage, 'total_tokens') ??
    member(answer, 'meta', 'billed_units', 'input_tokens') ??
    member(answer, 'meta', 'tokens', 'input_tokens');
  return {
    searchUnits: member(answer, 'meta', 'billed_units', 'search_units'),
    usage: total === undefined || total === null ? undefined : { prompt_tokens: total },
  };
};

/**
 * An answer with its results under the name that Jina's and Cohere's clients read, each with its document where the caller wants
 * documents and the upstream left them out.
 */
export const withResults = (answer: unknown, { documents, return_documents: wanted }: RerankRequest): object => {
  if (!isRecord(answer)) return {};
  const { data, ...rest } = answer;
  const listed = Array.isArray(answer['results']) ? (answer['results'] as readonly unknown[]) : Array.isArray(data) ? data : [];
  const results = (listed as readonly unknown[]).map((result) => {
    if (!isRecord(result)) return result;
    const document = typeof result['document'] === 'string' ? { text: result['document'] } : result['document'];
    if (document !== undefined && document !== null) return { ...result, document };
    const index = result['index'];
    const asked = wanted === true && typeof index === 'number' ? documents[index] : undefined;
    return asked === undefined ? result : { ...result, document: typeof asked === 'string' ? { text: asked } : asked };
  });
  return { ...rest, results };
};
