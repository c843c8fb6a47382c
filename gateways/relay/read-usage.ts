import { readOpenAIUsage, type UsageReading } from '../../domain/pricing/openai-usage.ts';
import type { Span } from './json-spans.ts';

const ABSENT: UsageReading = { kind: 'absent' };

/** The usage that stands at this place of an answer. A number that JSON does not know, such as NaN, makes it unbelievable, not absent. */
export const readUsageAt = (bytes: Buffer, span: Span | null, endpoint: 'chat' | 'embeddings'): UsageReading => {
  if (span === null) return ABSENT;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8', span.start, span.end));
  } catch {
    return { kind: 'unbelievable', why: 'usage is not JSON' };
  }
  return readOpenAIUsage(value, endpoint);
};
