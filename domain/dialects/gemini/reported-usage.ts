import { isRecord } from '../loose-json.ts';
import { geminiTraits } from './gemini-traits.ts';

type Json = Readonly<Record<string, unknown>>;

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** A sum of what is there; whatever is no count takes its place, for whoever reads it to see that it cannot be true. */
const total = (...counts: readonly unknown[]): unknown => {
  let sum = 0;
  for (const count of counts) {
    if (count === undefined || count === null) continue;
    if (!isCount(count)) return count;
    sum += count;
  }
  return sum;
};

const ofModality = (details: unknown, modality: string): number => {
  let tokens = 0;
  for (const one of Array.isArray(details) ? (details as readonly unknown[]) : [])
    if (isRecord(one) && one['modality'] === modality && isCount(one['tokenCount'])) tokens += one['tokenCount'];
  return tokens;
};

/**
 * A `usageMetadata` of Google's in the form of OpenAI's usage. Google's prompt includes what was cached but not what its own tools put in,
 * and its candidates do not include thoughts; OpenAI's totals include all of them.
 */
export const chatUsage = (usage: Json, searches: number): Json => {
  const thoughts = usage['thoughtsTokenCount'] ?? 0;
  const prompt = total(usage['promptTokenCount'], usage['toolUsePromptTokenCount']);
  const completion = total(usage['candidatesTokenCount'] ?? usage['responseTokenCount'], thoughts);
  const input = (modality: string): number =>
    Math.max(
      0,
      ofModality(usage['promptTokensDetails'], modality) +
        ofModality(usage['toolUsePromptTokensDetails'], modality) -
        ofModality(usage['cacheTokensDetails'], modality),
    );
  const output = (modality: string): number => ofModality(usage['candidatesTokensDetails'], modality);
  const said: Record<string, unknown> = {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: total(prompt, completion),
    prompt_tokens_details: {
      cached_tokens: usage['cachedContentTokenCount'] ?? 0,
      audio_tokens: input('AUDIO'),
      image_tokens: input('IMAGE'),
    },
    completion_tokens_details: { reasoning_tokens: thoughts, audio_tokens: output('AUDIO'), image_tokens: output('IMAGE') },
  };
  if (searches !== 0) said['server_tool_use'] = { web_search_requests: searches };
  return said;
};

/** Searches of the web that a response, or one of a stream's, is billed for. */
export const billedSearches = (response: unknown, upstreamModel: string): number => {
  const candidates = isRecord(response) && Array.isArray(response['candidates']) ? (response['candidates'] as readonly unknown[]) : [];
  let most = 0;
  for (const candidate of candidates) {
    const metadata = isRecord(candidate) ? candidate['groundingMetadata'] : null;
    const queries = isRecord(metadata) && Array.isArray(metadata['webSearchQueries']) ? metadata['webSearchQueries'].length : 0;
    most = Math.max(most, queries);
  }
  return most <= 1 || geminiTraits(upstreamModel).billsSearches ? most : 1;
};
