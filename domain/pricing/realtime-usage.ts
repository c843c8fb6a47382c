import type { Usage } from '../../schemas/usage.ts';
import type { UsageReading } from './openai-usage.ts';

type UnknownRecord = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is UnknownRecord => typeof value === 'object' && value !== null && !Array.isArray(value);

const NOTHING: UnknownRecord = {};

const recordOf = (value: unknown): UnknownRecord => (isRecord(value) ? value : NOTHING);

/** A count; `null` where it is none that can be true. What is not there is zero. */
const countOf = (value: unknown): number | null => {
  if (value === undefined || value === null) return 0;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
};

/** A total, and the parts that divide it: never more than the total together, and what no part takes is `rest`. */
const divide = (total: number, parts: readonly number[]): readonly [parts: readonly number[], rest: number] => {
  let left = total;
  const taken = parts.map((part) => {
    const some = Math.min(part, left);
    left -= some;
    return some;
  });
  return [taken, left];
};

/**
 * Reads the `usage` of a realtime response (`response.done`) or of a transcript, into classes that never overlap. What was cached is
 * taken out of text, sound and pictures as the upstream says; where it does not say of which, out of text first, which is the cheapest.
 */
export const readRealtimeUsage = (raw: unknown): UsageReading => {
  if (raw === undefined || raw === null) return { kind: 'absent' };
  if (!isRecord(raw)) return { kind: 'unbelievable', why: 'usage is not an object' };
  const read = recordOf(raw['input_token_details']);
  const written = recordOf(raw['output_token_details']);
  const cachedOf = recordOf(read['cached_tokens_details']);
  const counts = {
    input: countOf(raw['input_tokens']),
    output: countOf(raw['output_tokens']),
    cached: countOf(read['cached_tokens']),
    audioIn: countOf(read['audio_tokens']),
    imageIn: countOf(read['image_tokens']),
    cachedAudio: countOf(cachedOf['audio_tokens']),
    cachedImage: countOf(cachedOf['image_tokens']),
    audioOut: countOf(written['audio_tokens']),
    textOut: countOf(written['text_tokens']),
    reasoning: countOf(written['reasoning_tokens']),
  };
  for (const [name, count] of Object.entries(counts))
    if (count === null) return { kind: 'unbelievable', why: `the ${name} tokens are not a count` };
  const sure = counts as { readonly [K in keyof typeof counts]: number };
  if (sure.input === 0 && sure.output === 0) return { kind: 'absent' };

  const [[audio = 0, image = 0], text] = divide(sure.input, [sure.audioIn, sure.imageIn]);
  const [[ofAudio = 0, ofImage = 0], unsaid] = divide(Math.min(sure.cached, sure.input), [
    Math.min(sure.cachedAudio, audio),
    Math.min(sure.cachedImage, image),
  ]);
  const [[ofText = 0, moreAudio = 0, moreImage = 0]] = divide(unsaid, [text, audio - ofAudio, image - ofImage]);
  const [[audioOutput = 0, reasoning = 0], output] = divide(sure.output, [sure.audioOut, sure.reasoning]);
  const all: Required<Pick<Usage, 'input' | 'cachedInput' | 'audioInput' | 'imageInput' | 'output' | 'audioOutput' | 'reasoning'>> = {
    input: text - ofText,
    cachedInput: ofText + ofAudio + moreAudio + ofImage + moreImage,
    audioInput: audio - ofAudio - moreAudio,
    imageInput: image - ofImage - moreImage,
    output,
    audioOutput,
    reasoning,
  };
  const usage = Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0)) as Usage;
  return { kind: 'reported', usage, promptTokens: sure.input, outputTokens: sure.output };
};
