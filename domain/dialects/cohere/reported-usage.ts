import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Cohere's usage in OpenAI's form; `null` where it tells none. What Cohere bills is told apart from what its models read (their own instructions
 * among it); what is billed counts.
 */
export const cohereUsage = (usage: unknown): Json | null => {
  if (!isRecord(usage)) return null;
  const billed = isRecord(usage['billed_units']) ? usage['billed_units'] : {};
  const counted = isRecord(usage['tokens']) ? usage['tokens'] : {};
  const prompt = billed['input_tokens'] ?? counted['input_tokens'];
  const output = billed['output_tokens'] ?? counted['output_tokens'];
  if (prompt === undefined || prompt === null) return null;
  const total = typeof prompt === 'number' && typeof output === 'number' ? { total_tokens: prompt + output } : {};
  return {
    prompt_tokens: prompt,
    completion_tokens: output ?? 0,
    ...total,
    ...(typeof usage['cached_tokens'] === 'number' ? { prompt_tokens_details: { cached_tokens: usage['cached_tokens'] } } : {}),
  };
};
