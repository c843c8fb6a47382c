import type { Usage } from '../../schemas/usage.ts';

/**
 * What an upstream's `usage` object is good for.
 * - `reported`: charge it. `promptTokens` and `outputTokens` are the totals that the classes sum to.
 * - `absent`: there is none, or none that says anything: count the tokens here.
 * - `unbelievable`: negative, fractional, not a number, beyond what an integer holds: charge the hold and flag it.
 */
export type UsageReading =
  | { readonly kind: 'reported'; readonly usage: Usage; readonly promptTokens: number; readonly outputTokens: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unbelievable'; readonly why: string };

const ABSENT: UsageReading = { kind: 'absent' };

type UnknownRecord = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is UnknownRecord => typeof value === 'object' && value !== null && !Array.isArray(value);

const NO_DETAILS: UnknownRecord = {};

/** Details that are no object say nothing; they do not make the totals wrong. */
const detailsOf = (value: unknown): UnknownRecord => (isRecord(value) ? value : NO_DETAILS);

/** A sane count, nothing at all, or the sentence that says what is wrong with it. */
const count = (value: unknown, name: string): number | undefined | string => {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') return `${name} is not a number`;
  if (!Number.isSafeInteger(value)) return `${name} is not a whole number`;
  return value < 0 ? `${name} is negative` : value;
};

type Mutable = { -readonly [K in keyof Usage]: Usage[K] };

/** Takes up to `wanted` tokens of a class out of what is left of its total: details never add to a total, they divide it. */
const take = (usage: Mutable, name: keyof Usage, wanted: number, left: number): number => {
  const taken = wanted < left ? wanted : left;
  if (taken > 0) usage[name] = taken;
  return left - taken;
};

/**
 * Reads the `usage` of an OpenAI-shaped answer into classes that never overlap and that sum to what was reported. Every
 * member is looked at as the unknown thing it is: upstreams of all makes send this, and it decides about money.
 *
 * `prompt_tokens` and `completion_tokens` include their details, by OpenAI's own definition. Some upstreams (xAI) leave
 * reasoning out of `completion_tokens`, or what was cached out of `prompt_tokens`, and put it into `total_tokens` only; the
 * total gives them away.
 */
export const readOpenAIUsage = (raw: unknown, endpoint: 'chat' | 'embeddings'): UsageReading => {
  if (raw === undefined || raw === null) return ABSENT;
  if (!isRecord(raw)) return { kind: 'unbelievable', why: 'usage is not an object' };
  const promptDetails = detailsOf(raw['prompt_tokens_details'] ?? raw['prompt_token_details'] /* Mistral */);
  const outputDetails = detailsOf(raw['completion_tokens_details']);

  const prompt = count(raw['prompt_tokens'], 'prompt_tokens');
  const completion = count(raw['completion_tokens'], 'completion_tokens');
  const total = count(raw['total_tokens'], 'total_tokens');
  const cached = count(
    promptDetails['cached_tokens'] ??
      raw['prompt_cache_hit_tokens'] /* DeepSeek */ ??
      raw['cached_tokens'] /* Moonshot */ ??
      raw['num_cached_tokens'] /* Mistral */,
    'cached_tokens',
  );
  const written = count(
    promptDetails['cache_write_tokens'] ?? promptDetails['cache_creation_input_tokens'] /* DashScope */,
    'cache_write_tokens',
  );
  /** Of those that were written, the ones that are kept for an hour: Anthropic's, told beside OpenAI's own members. */
  const writtenLong = count(promptDetails['cache_write_1h_tokens'], 'cache_write_1h_tokens');
  const audioIn = count(promptDetails['audio_tokens'], 'prompt audio_tokens');
  const imageIn = count(promptDetails['image_tokens'], 'prompt image_tokens');
  const reasoning = count(outputDetails['reasoning_tokens'] ?? raw['reasoning_tokens'] /* Perplexity */, 'reasoning_tokens');
  const audioOut = count(outputDetails['audio_tokens'], 'completion audio_tokens');
  const imageOut = count(outputDetails['image_tokens'], 'completion image_tokens');
  const searches = count(
    detailsOf(raw['server_tool_use'])['web_search_requests'] ?? raw['num_search_queries'] /* Perplexity */,
    'web_search_requests',
  );
  for (const value of [
    prompt,
    completion,
    total,
    cached,
    written,
    writtenLong,
    searches,
    audioIn,
    imageIn,
    reasoning,
    audioOut,
    imageOut,
  ]) {
    if (typeof value === 'string') return { kind: 'unbelievable', why: value };
  }
  const known = (value: number | undefined | string): number => (typeof value === 'number' ? value : 0);

  let promptTokens = known(prompt);
  // Of embeddings there is nothing but a prompt, and some report no more than the total.
  if (prompt === undefined && endpoint === 'embeddings') promptTokens = known(total);
  // A prompt of no tokens does not exist: an upstream that says so has not counted.
  if (promptTokens === 0) return ABSENT;
  let outputTokens = known(completion);
  if (completion === undefined && endpoint === 'chat') {
    if (typeof total !== 'number' || total <= promptTokens) return ABSENT;
    outputTokens = total - promptTokens;
  }
  const thought = known(reasoning);
  const read = known(cached);
  const beside = known(total) - promptTokens - outputTokens;
  if (thought > 0 && (beside === thought || beside === thought + read)) outputTokens += thought;
  if (read > 0 && beside > 0 && known(total) === promptTokens + outputTokens + read) promptTokens += read;
  if (!Number.isSafeInteger(promptTokens + outputTokens)) return { kind: 'unbelievable', why: 'the total is beyond what an integer holds' };

  const usage: Mutable = {};
  let left = take(usage, 'cachedInput', known(cached), promptTokens);
  const long = Math.min(known(writtenLong), known(written));
  left = take(usage, 'cacheWrite1h', long, left);
  left = take(usage, 'cacheWrite5m', known(written) - long, left);
  left = take(usage, 'audioInput', known(audioIn), left);
  left = take(usage, 'imageInput', known(imageIn), left);
  take(usage, 'input', left, left);
  left = take(usage, 'reasoning', thought, outputTokens);
  left = take(usage, 'audioOutput', known(audioOut), left);
  left = take(usage, 'imageOutput', known(imageOut), left);
  take(usage, 'output', left, left);
  if (known(searches) > 0) usage.toolUse = known(searches);
  return { kind: 'reported', usage, promptTokens, outputTokens };
};
