import { readMediaUsage, sumOfReadings } from '../../../domain/pricing/media-usage.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import { SpeechRequest } from '../../../schemas/openai/speech-request.ts';
import { convertRequest } from '../convert.ts';
import type { Span } from '../json-spans.ts';
import { firstIssue, readObject } from '../parse.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { EndpointRules } from './endpoint.ts';
import { NOTHING_PRODUCED } from './prompt-only.ts';

export interface ParsedSpeech {
  readonly endpoint: 'speech';
  readonly body: Buffer;
  readonly request: SpeechRequest;
  readonly spans: { readonly model: Span };
  readonly inside: number;
}

const MEMBERS = ['model', 'input', 'instructions', 'speed', 'stream_format'] as const;

/** Twenty tokens are a second of speech that a model speaks (OpenAI's rule), and fifteen characters of a Latin script are about one. */
const USUAL_TOKENS_PER_CHARACTER = 20 / 15;
/** A character of the densest script, spoken slowly, with pauses. */
const MOST_TOKENS_PER_CHARACTER = 16;
/** What is spoken of next to nothing. */
const LEAST_BOUND = 400;

const parse = (body: Buffer, limits: RelayLimits): ParsedSpeech | Refusal => {
  const read = readObject(body, MEMBERS, limits);
  if ('refused' in read) return read;
  const parsed = SpeechRequest.safeParse(read.value);
  if (!parsed.success) return firstIssue(parsed.error);
  return { endpoint: 'speech', body, request: parsed.data, spans: { model: read.spans[0] as Span }, inside: read.inside };
};

/** Characters as people count them, not halves of them. */
const charactersOf = ({ input }: SpeechRequest): number => {
  let characters = 0;
  for (const _each of input) characters++;
  return characters;
};

const slowness = ({ speed }: SpeechRequest): number => 1 / Math.min(1, speed ?? 1);

/** Speech from text. It is passed on as it is spoken: as bytes, or as events where the caller asked for those. */
export const speech: EndpointRules<ParsedSpeech> = {
  bodies: 'json',
  answers: 'bytes',
  door: 'audio',
  kinds: new Set(['speech', 'other']),
  path: '/audio/speech',
  canCharge: ({ rates }) =>
    rates.call !== undefined ||
    rates.character !== undefined ||
    (rates.input !== undefined && (rates.audioOutput !== undefined || rates.output !== undefined)),
  parse,
  streamed: () => true,
  bound: ({ request }) => {
    const characters = charactersOf(request);
    const outputTokens = LEAST_BOUND + Math.ceil(characters * MOST_TOKENS_PER_CHARACTER * slowness(request));
    return {
      choices: 1,
      predicted: outputTokens,
      bound: {
        promptTokens: Buffer.byteLength(request.input) + Buffer.byteLength(request.instructions ?? '') + LEAST_BOUND,
        outputTokens,
        audioInput: false,
        imageInput: false,
        audioOutput: true,
        imageOutput: false,
        toolUses: 0,
        characters,
      },
    };
  },
  convert: convertRequest,
  headers: () => ({ accept: '*/*' }),
  reading: () => ({ kind: 'absent' }),
  heard: ({ usages }, { request }, { rates }) =>
    rates.character === undefined
      ? sumOfReadings(usages.map((usage) => readMediaUsage(usage, 'audioOutput')))
      : { kind: 'reported', usage: { character: charactersOf(request) }, promptTokens: 0, outputTokens: 0 },
  produced: () => NOTHING_PRODUCED,
  estimate: async (counter, { request }) => {
    const texts = [request.input, request.instructions ?? ''].filter((text) => text !== '');
    const audioOutput = Math.ceil(charactersOf(request) * USUAL_TOKENS_PER_CHARACTER * slowness(request));
    return { input: await counter.count(texts), audioOutput };
  },
  toolUses: () => 0,
  finish: (body) => body,
};
