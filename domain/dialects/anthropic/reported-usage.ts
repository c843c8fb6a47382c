import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** A sum of what is there. Whatever is no count takes the place of the sum: who reads it must see that it cannot be true. */
const total = (...counts: readonly unknown[]): unknown => {
  let sum = 0;
  for (const count of counts) {
    if (count === undefined || count === null) continue;
    if (!isCount(count)) return count;
    sum += count;
  }
  return sum;
};

/**
 * A usage of Anthropic's in the form of OpenAI's. Anthropic's classes of input do not include each other, OpenAI's `prompt_tokens` includes
 * them all. How long a cache keeps what was written to it decides about its price, hence `cache_write_1h_tokens`, which OpenAI does not know.
 */
export const chatUsage = (usage: Json): Json => {
  const written = isRecord(usage['cache_creation']) ? usage['cache_creation'] : {};
  const { input_tokens: uncached, cache_read_input_tokens: read, cache_creation_input_tokens: created, output_tokens: output } = usage;
  const long = written['ephemeral_1h_input_tokens'];
  const writes = created ?? total(written['ephemeral_5m_input_tokens'], long);
  const prompt = total(uncached, read, writes);
  const details = isRecord(usage['output_tokens_details']) ? usage['output_tokens_details'] : {};
  const tools = usage['server_tool_use'];
  const promptDetails: Record<string, unknown> = { cached_tokens: read ?? 0, cache_write_tokens: writes };
  if (long !== undefined && long !== null && long !== 0) promptDetails['cache_write_1h_tokens'] = long;
  const said: Record<string, unknown> = {
    prompt_tokens: prompt,
    completion_tokens: output ?? 0,
    total_tokens: total(prompt, output),
    prompt_tokens_details: promptDetails,
    completion_tokens_details: { reasoning_tokens: details['thinking_tokens'] ?? 0 },
  };
  if (isRecord(tools)) said['server_tool_use'] = tools;
  return said;
};

/** Usage as a stream tells it, in parts of which later ones replace earlier ones. */
export const mergedUsage = (known: Json, said: unknown): Json => {
  if (!isRecord(said)) return known;
  const merged: Record<string, unknown> = { ...known };
  for (const [name, value] of Object.entries(said)) if (value !== null) merged[name] = value;
  return merged;
};
