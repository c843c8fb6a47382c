import type { RerankRequest } from '../../../schemas/rerank/rerank-request.ts';
import { isRecord } from '../loose-json.ts';
import { textOfDocument } from '../rerank/ranking.ts';

type Json = Readonly<Record<string, unknown>>;

/** A rerank call of any shape as one of Cohere's version 2, which takes texts and gives none of them back. */
export const cohereRerankBody = (request: RerankRequest, upstreamModel: string): Json => {
  const { query, documents, top_n: most } = request;
  const perDocument = request['max_tokens_per_doc'];
  return {
    model: upstreamModel,
    query: textOfDocument(query),
    documents: documents.map(textOfDocument),
    ...(typeof most === 'number' ? { top_n: most } : {}),
    ...(typeof perDocument === 'number' ? { max_tokens_per_doc: perDocument } : {}),
  };
};

/** A ranking of Cohere's, which is a form that the hub knows; `null` for what is none. */
export const cohereRanking = (answer: unknown): Json | null => (isRecord(answer) && Array.isArray(answer['results']) ? answer : null);
