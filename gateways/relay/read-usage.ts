import { readOpenAIUsage, type UsageReading } from '../../domain/pricing/openai-usage.ts';
import type { WholeAnswer } from './endpoints/endpoint.ts';

/** What stands in an answer as its `usage`; throws where that is a number that JSON does not know, such as NaN. */
export const usageIn = ({ body, usage }: WholeAnswer): unknown => {
  if (!Buffer.isBuffer(body)) return body['usage'];
  return usage === null ? undefined : JSON.parse(body.toString('utf8', usage.start, usage.end));
};

/** The usage of an answer, or of a chunk of one. What JSON does not know makes it unbelievable, not absent. */
export const readUsage = (answer: WholeAnswer, endpoint: 'chat' | 'embeddings'): UsageReading => {
  let value: unknown;
  try {
    value = usageIn(answer);
  } catch {
    return { kind: 'unbelievable', why: 'usage is not JSON' };
  }
  return readOpenAIUsage(value, endpoint);
};
