import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { readMediaUsage, sumOfReadings } from '../../../domain/pricing/media-usage.ts';
import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { endOfSubtitles, likelySeconds, mostSeconds, type SoundFile } from '../../../domain/pricing/sound-length.ts';
import { UNKNOWN_OUTPUT_LIMIT } from '../../../domain/pricing/worst-case.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { FormScanner } from '../form-scanner.ts';
import { bytesOfAnswer, valueOfAnswer } from '../hub-answer.ts';
import type { Span } from '../json-spans.ts';
import type { Upload } from '../upload.ts';
import { countTokens } from './count-tokens.ts';
import type { EndpointRules } from './endpoint.ts';
import { convertForm, formHeaders } from './form.ts';

type SoundEndpoint = 'transcriptions' | 'translations';

export interface ParsedSound<E extends SoundEndpoint> {
  readonly endpoint: E;
  /** What is held of the form. */
  readonly body: Buffer;
  readonly request: { readonly model: string };
  readonly boundary: string;
  readonly filename: string;
  /** Where its file begins, as far as that is held. */
  readonly start: Buffer;
  readonly upload: Upload;
  readonly spans: { readonly model: Span };
}

/** A second of sound that a model hears: OpenAI's rule. */
const TOKENS_PER_SECOND = 10;
const MOST_NAME = 200;
/** As far as a file's own head is of interest. */
const START_BYTES = 64;

const parse = <E extends SoundEndpoint>(endpoint: E, upload: Upload, boundary: string): ParsedSound<E> | Refusal => {
  const { head } = upload;
  const scanner = new FormScanner(boundary);
  scanner.push(head);
  if (scanner.wrong || (upload.whole && !scanner.complete))
    return refuse('invalid_request', 'The body is not a complete form of multipart/form-data.');
  const models = scanner.parts.filter(({ name }) => name === 'model');
  const [model] = models;
  if (models.length > 1) return refuse('invalid_request', 'The field "model" is there twice.', { param: 'model' });
  if (model === undefined || model.end === null || model.end === model.start || model.end - model.start > MOST_NAME)
    return refuse('invalid_request', 'model: the form does not name one.', { param: 'model' });
  const file = scanner.parts.find(({ filename }) => filename !== null);
  if (upload.whole && file === undefined) return refuse('invalid_request', 'file: the form has no file.', { param: 'file' });
  const span = { start: model.start, end: model.end };
  return {
    endpoint,
    body: head,
    request: { model: head.toString('utf8', span.start, span.end) },
    boundary,
    filename: file?.filename ?? '',
    start: file === undefined ? Buffer.alloc(0) : head.subarray(file.start, file.start + START_BYTES),
    upload,
    spans: { model: span },
  };
};

const soundOf = ({ filename, start, upload }: ParsedSound<SoundEndpoint>, bytes: number): SoundFile => ({
  bytes: Math.max(bytes, upload.bytes),
  start,
  filename,
});

const bySecond = (seconds: unknown): UsageReading => {
  if (seconds === undefined || seconds === null) return { kind: 'absent' };
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0 || seconds > 1e9)
    return { kind: 'unbelievable', why: 'the length of the sound is no number of seconds' };
  return { kind: 'reported', usage: { second: Math.ceil(seconds) }, promptTokens: 0, outputTokens: 0 };
};

/** By the second where the price is, else by tokens. A report in the other measure is none. */
const readUse = (usage: unknown, duration: unknown, { rates }: ModelPrice): UsageReading => {
  const seconds = isRecord(usage) ? (usage['seconds'] ?? duration) : duration;
  if (rates.second !== undefined) return bySecond(seconds);
  return isRecord(usage) && usage['type'] === 'duration' ? { kind: 'absent' } : readMediaUsage(usage, 'output', 'audioInput');
};

/** Words from sound. The form is passed on while it comes. */
export const soundForm = <E extends SoundEndpoint>(endpoint: E, path: string): EndpointRules<ParsedSound<E>> => ({
  bodies: 'upload',
  answers: 'told',
  door: 'audio',
  kinds: new Set(['transcription', 'other']),
  path,
  canCharge: ({ rates }) =>
    rates.call !== undefined || rates.second !== undefined || (rates.input !== undefined && rates.output !== undefined),
  parse: () => {
    throw new Error('a form that is passed on while it comes is not here to be parsed');
  },
  parseUpload: (upload, boundary) => parse(endpoint, upload, boundary),
  streamed: () => false,
  bound: (parsed, price) => {
    const { upload } = parsed;
    const seconds = mostSeconds(soundOf(parsed, upload.length ?? upload.limit));
    const heard = seconds * TOKENS_PER_SECOND + upload.head.length;
    const outputTokens = price.maxOutputTokens ?? UNKNOWN_OUTPUT_LIMIT;
    return {
      choices: 1,
      predicted: outputTokens,
      bound: {
        promptTokens: price.contextTokens === undefined ? heard : Math.min(heard, price.contextTokens),
        outputTokens,
        audioInput: true,
        imageInput: false,
        audioOutput: false,
        imageOutput: false,
        toolUses: 0,
        seconds,
      },
    };
  },
  convert: ({ body, spans }, conversion) => convertForm(body, spans.model, conversion),
  headers: ({ boundary }) => ({ ...formHeaders(boundary), accept: '*/*' }),
  reading: ({ body }, _parsed, price) => {
    const answer = valueOfAnswer(body);
    return isRecord(answer) ? readUse(answer['usage'], answer['duration'], price) : { kind: 'absent' };
  },
  heard: ({ usages }, _parsed, price) => sumOfReadings(usages.map((usage) => readUse(usage, undefined, price))),
  produced: (body) => {
    const text = bytesOfAnswer(body).toString('utf8');
    const answer = parsedJson(text);
    const said = isRecord(answer) ? answer['text'] : text;
    return { texts: typeof said === 'string' ? [said] : [], tokens: 0 };
  },
  estimate: async (counter, parsed, { rates }, produced) => {
    const seconds = endOfSubtitles(produced.texts[0] ?? '') ?? likelySeconds(soundOf(parsed, parsed.upload.bytes));
    if (rates.second !== undefined) return { second: seconds };
    const output = await countTokens(counter, produced);
    return { audioInput: seconds * TOKENS_PER_SECOND, ...(output > 0 ? { output } : {}) };
  },
  toolUses: () => 0,
  finish: (body) => body,
});
