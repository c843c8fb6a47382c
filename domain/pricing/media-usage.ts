import type { Usage } from '../../schemas/usage.ts';
import { readOpenAIUsage, type UsageReading } from './openai-usage.ts';

type UnknownRecord = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is UnknownRecord => typeof value === 'object' && value !== null && !Array.isArray(value);

const NO_DETAILS: UnknownRecord = {};

const detailsOf = (usage: UnknownRecord, side: 'input' | 'output'): UnknownRecord => {
  // Images have `…_tokens_details`, audio `…_token_details`.
  const details = usage[`${side}_tokens_details`] ?? usage[`${side}_token_details`];
  return isRecord(details) ? details : NO_DETAILS;
};

type Mutable = { -readonly [K in keyof Usage]: Usage[K] };

/** Takes details out of their total: they divide it, and never add to it. */
const divide = (usage: Mutable, total: number, parts: readonly (readonly [keyof Usage, unknown])[], rest: keyof Usage): string | null => {
  let left = total;
  for (const [name, value] of parts) {
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return `the ${name} tokens are not a count`;
    const taken = Math.min(value, left);
    if (taken > 0) usage[name] = (usage[name] ?? 0) + taken;
    left -= taken;
  }
  if (left > 0) usage[rest] = (usage[rest] ?? 0) + left;
  return null;
};

/**
 * Reads the `usage` of an answer of images or sound, which counts `input_tokens` and `output_tokens`, into classes that never
 * overlap. `output` is what the tokens are that no detail says more of. Usage in the words of chat completions is read too.
 */
export const readMediaUsage = (
  raw: unknown,
  output: 'imageOutput' | 'audioOutput' | 'output',
  input: 'input' | 'audioInput' = 'input',
): UsageReading => {
  if (raw === undefined || raw === null) return { kind: 'absent' };
  if (!isRecord(raw)) return { kind: 'unbelievable', why: 'usage is not an object' };
  if (raw['input_tokens'] === undefined) return readOpenAIUsage(raw, 'embeddings');
  const totals = [raw['input_tokens'] ?? 0, raw['output_tokens'] ?? 0];
  for (const total of totals)
    if (typeof total !== 'number' || !Number.isSafeInteger(total) || total < 0)
      return { kind: 'unbelievable', why: 'a total of usage is not a count' };
  const [promptTokens, outputTokens] = totals as [number, number];
  if (promptTokens === 0 && outputTokens === 0) return { kind: 'absent' };
  const usage: Mutable = {};
  const [read, written] = [detailsOf(raw, 'input'), detailsOf(raw, 'output')];
  const wrong =
    divide(
      usage,
      promptTokens,
      [
        ['cachedInput', read['cached_tokens']],
        ['imageInput', read['image_tokens']],
        ['audioInput', read['audio_tokens']],
        ['input', read['text_tokens']],
      ],
      input,
    ) ??
    divide(
      usage,
      outputTokens,
      [
        ['output', written['text_tokens']],
        ['imageOutput', written['image_tokens']],
        ['audioOutput', written['audio_tokens']],
      ],
      output,
    );
  return wrong === null ? { kind: 'reported', usage, promptTokens, outputTokens } : { kind: 'unbelievable', why: wrong };
};

/** What several readings come to together, as the images of one call; what cannot be true makes all of it so. */
export const sumOfReadings = (readings: readonly UsageReading[]): UsageReading => {
  const usage: Mutable = {};
  let [promptTokens, outputTokens, isReported] = [0, 0, false];
  for (const reading of readings) {
    if (reading.kind === 'unbelievable') return reading;
    if (reading.kind === 'absent') continue;
    isReported = true;
    promptTokens += reading.promptTokens;
    outputTokens += reading.outputTokens;
    for (const [name, count] of Object.entries(reading.usage) as [keyof Usage, number][]) usage[name] = (usage[name] ?? 0) + count;
  }
  return isReported ? { kind: 'reported', usage, promptTokens, outputTokens } : { kind: 'absent' };
};
