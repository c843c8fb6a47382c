import type { ServerResponse } from 'node:http';
import { ImagesForm, ImagesRequest } from '../../schemas/openai/images-request.ts';
import { ModerationsRequest } from '../../schemas/openai/moderations-request.ts';
import { SpeechRequest } from '../../schemas/openai/speech-request.ts';
import { RerankRequest } from '../../schemas/rerank/rerank-request.ts';
import type { ModelKind } from '../../schemas/price.ts';
import { FormScanner } from '../relay/form-scanner.ts';
import { embed } from './embedding.ts';
import { judge } from './judgement.ts';
import { paint } from './picture.ts';
import { sandboxPrices } from './prices.ts';
import { refuse, send, sendBytes, sendEvents } from './sandbox-answers.ts';
import { hear, speak } from './sound.ts';
import { hashOf, tokensOf } from './text.ts';

/** A body, and its boundary where it is a form. */
export interface Asked {
  readonly body: Buffer;
  readonly boundary: string | null;
}

type Answer = (res: ServerResponse, asked: Asked) => void;

const isServed = (res: ServerResponse, kind: ModelKind, model: string): boolean => {
  if (sandboxPrices.some((price) => price.kind === kind && price.model === model)) return true;
  const names = sandboxPrices.filter((price) => price.kind === kind).map((price) => price.model);
  refuse(res, 404, `there is no such model "${model}" for this; there is ${names.join(', ')}`, 'model_not_found');
  return false;
};

/** What schemas say of a body; `null` where it was refused. */
const parsed = <T>(
  res: ServerResponse,
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: readonly { message: string }[] } } },
  { body }: Asked,
): T | null => {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    refuse(res, 400, 'the body is not JSON');
    return null;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  refuse(res, 400, result.error.issues[0]?.message ?? 'not valid');
  return null;
};

interface SentForm {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: Buffer | null;
  readonly filename: string;
}

const formOf = (res: ServerResponse, { body, boundary }: Asked): SentForm | null => {
  const scanner = boundary === null ? null : new FormScanner(boundary);
  scanner?.push(body);
  if (scanner === null || scanner.wrong || !scanner.complete) {
    refuse(res, 400, 'the body is no form');
    return null;
  }
  const fields: Record<string, string> = {};
  let file: Buffer | null = null;
  let filename = '';
  for (const part of scanner.parts) {
    const value = body.subarray(part.start, part.end ?? body.length);
    if (part.filename === null) fields[part.name] = value.toString('utf8');
    else {
      file = value;
      filename = part.filename;
    }
  }
  return { fields, file, filename };
};

/** OpenAI's own bounds. */
const MOST_PICTURES = 10;
const MOST_CHARACTERS = 4_096;

const LARGEST_SIDE = 2_048;
const USUAL_SIDE = 1_024;

const sizeOf = (size: string | null | undefined): readonly [width: number, height: number] => {
  const match = /^(\d{1,4})x(\d{1,4})$/.exec(size ?? '');
  const side = (text: string | undefined): number => Math.min(LARGEST_SIDE, Math.max(1, Number(text ?? USUAL_SIDE)));
  return [side(match?.[1]), side(match?.[2])];
};

interface Wanted {
  readonly words: string;
  readonly n: number;
  readonly size: string | null | undefined;
  /** As an address, which has the picture in it. */
  readonly asUrl: boolean;
  readonly created: number;
}

const pictures = ({ words, n, size, asUrl, created }: Wanted): object => {
  const [width, height] = sizeOf(size);
  const data = Array.from({ length: n }, (_each, index) => {
    const base64 = paint(index === 0 ? words : `${words} ${index}`, width, height).toString('base64');
    return asUrl ? { url: `data:image/png;base64,${base64}` } : { b64_json: base64 };
  });
  return { created, data };
};

const seconds = (): number => Math.floor(Date.now() / 1_000);

const generations: Answer = (res, asked) => {
  const request = parsed(res, ImagesRequest, asked);
  if (request === null || !isServed(res, 'image', request.model)) return;
  const { prompt, size, n, stream, partial_images: partial } = request;
  if ((n ?? 1) > MOST_PICTURES) return refuse(res, 400, `at most ${MOST_PICTURES} pictures are made at a time`);
  if (stream !== true)
    return send(res, 200, pictures({ words: prompt, n: n ?? 1, size, asUrl: request['response_format'] === 'url', created: seconds() }));
  const [width, height] = sizeOf(size);
  const half = (base64Of: Buffer): string => base64Of.toString('base64');
  sendEvents(res, [
    ...Array.from({ length: partial ?? 0 }, (_each, index) => ({
      type: 'image_generation.partial_image',
      partial_image_index: index,
      b64_json: half(paint(`${prompt} unfinished ${index}`, Math.ceil(width / 4), Math.ceil(height / 4))),
    })),
    ...Array.from({ length: n ?? 1 }, (_each, index) => ({
      type: 'image_generation.completed',
      created_at: seconds(),
      b64_json: half(paint(index === 0 ? prompt : `${prompt} ${index}`, width, height)),
    })),
  ]);
};

/** Edits and variations: the bytes of the picture that came choose the pattern with the words. */
const edits: Answer = (res, asked) => {
  const form = formOf(res, asked);
  if (form === null) return;
  const request = ImagesForm.safeParse(form.fields);
  if (!request.success) return refuse(res, 400, request.error.issues[0]?.message ?? 'not valid');
  if (form.file === null) return refuse(res, 400, 'there is no picture in the form');
  const { model, prompt = 'variation', n = 1, size } = request.data;
  if (!isServed(res, 'image', model)) return;
  if (n > MOST_PICTURES) return refuse(res, 400, `at most ${MOST_PICTURES} pictures are made at a time`);
  const words = `${prompt} ${hashOf(form.file.toString('latin1'))}`;
  send(res, 200, pictures({ words, n, size, asUrl: form.fields['response_format'] === 'url', created: seconds() }));
};

const EVENT_BYTES = 32 * 1024;

const speech: Answer = (res, asked) => {
  const request = parsed(res, SpeechRequest, asked);
  if (request === null || !isServed(res, 'speech', request.model)) return;
  if (request.input.length > MOST_CHARACTERS) return refuse(res, 400, `at most ${MOST_CHARACTERS} characters are spoken`);
  const sound = speak(request.input);
  if (request.stream_format !== 'sse') return sendBytes(res, 'audio/wav', sound);
  const events: { readonly type: string; readonly [name: string]: unknown }[] = [];
  for (let at = 0; at < sound.length; at += EVENT_BYTES)
    events.push({ type: 'speech.audio.delta', audio: sound.subarray(at, at + EVENT_BYTES).toString('base64') });
  const input = tokensOf(request.input).length;
  const output = Math.ceil(request.input.length * 0.8);
  const usage = { input_tokens: input, output_tokens: output, total_tokens: input + output };
  sendEvents(res, [...events, { type: 'speech.audio.done', usage }]);
};

const clock = (at: number, mark: string): string => {
  const part = (value: number, length = 2): string => String(Math.floor(value)).padStart(length, '0');
  return `${part(at / 3_600)}:${part((at / 60) % 60)}:${part(at % 60)}${mark}${part((at * 1_000) % 1_000, 3)}`;
};

const transcriptions: Answer = (res, asked) => {
  const form = formOf(res, asked);
  if (form === null) return;
  const { model = '', response_format: format = 'json' } = form.fields;
  if (!isServed(res, 'transcription', model)) return;
  if (form.file === null) return refuse(res, 400, 'there is no file in the form');
  const { text, seconds: length } = hear(form.file);
  const usage = { type: 'duration', seconds: Math.ceil(length) };
  switch (format) {
    case 'text':
      return sendBytes(res, 'text/plain; charset=utf-8', `${text}\n`);
    case 'srt':
      return sendBytes(res, 'text/plain; charset=utf-8', `1\n${clock(0, ',')} --> ${clock(length, ',')}\n${text}\n`);
    case 'vtt':
      return sendBytes(res, 'text/vtt; charset=utf-8', `WEBVTT\n\n${clock(0, '.')} --> ${clock(length, '.')}\n${text}\n`);
    case 'verbose_json':
      return send(res, 200, {
        task: 'transcribe',
        language: 'english',
        duration: length,
        text,
        segments: [{ id: 0, start: 0, end: length, text }],
        usage,
      });
    default:
      return send(res, 200, { text, usage });
  }
};

const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string'
      ? value.text
      : JSON.stringify(value);

const moderations: Answer = (res, asked) => {
  const request = parsed(res, ModerationsRequest, asked);
  if (request === null || !isServed(res, 'moderation', request.model)) return;
  const inputs = typeof request.input === 'string' ? [request.input] : request.input;
  const texts = inputs.map((input) => (typeof input === 'string' ? input : textOf(input)));
  send(res, 200, { id: `modr-sandbox-${hashOf(texts.join('\n')).toString(36)}`, model: request.model, results: texts.map(judge) });
};

/** Documents that share words with the query come first. */
const rerank: Answer = (res, asked) => {
  const request = parsed(res, RerankRequest, asked);
  if (request === null || !isServed(res, 'rerank', request.model)) return;
  const query = embed(textOf(request.query));
  const score = (text: string): number => {
    const vector = embed(text);
    const cosine = query.reduce((sum, value, at) => sum + value * (vector[at] as number), 0);
    return Math.round(Math.max(0, cosine) * 1e6) / 1e6;
  };
  const texts = request.documents.map(textOf);
  const results = texts
    .map((text, index) => ({
      index,
      relevance_score: score(text),
      ...(request.return_documents === true ? { document: { text } } : {}),
    }))
    .toSorted((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
    .slice(0, request.top_n ?? undefined);
  const tokens = texts.reduce((sum, text) => sum + tokensOf(text).length + tokensOf(textOf(request.query)).length, 0);
  const id = `rerank-sandbox-${hashOf(texts.join('\n')).toString(36)}`;
  send(res, 200, { id, model: request.model, results, usage: { prompt_tokens: tokens, total_tokens: tokens } });
};

/** What the sandbox answers besides chats and embeddings, by its address. */
export const MEDIA: ReadonlyMap<string, Answer> = new Map([
  ['/v1/images/generations', generations],
  ['/v1/images/edits', edits],
  ['/v1/images/variations', edits],
  ['/v1/audio/speech', speech],
  ['/v1/audio/transcriptions', transcriptions],
  ['/v1/audio/translations', transcriptions],
  ['/v1/moderations', moderations],
  ['/v1/rerank', rerank],
]);
