import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { ImagesForm } from '../../../schemas/openai/images-request.ts';
import type { Span } from '../json-spans.ts';
import { firstIssue } from '../parse.ts';
import { boundImages, canChargeImages, estimateImages, hearImages, readImages } from './images.ts';
import type { EndpointRules } from './endpoint.ts';
import { convertForm, formHeaders, readForm, type Form } from './form.ts';
import { NOTHING_PRODUCED } from './prompt-only.ts';

type ImageEndpoint = 'image_edits' | 'image_variations';

export interface ParsedImageForm<E extends ImageEndpoint> {
  readonly endpoint: E;
  readonly body: Buffer;
  readonly request: ImagesForm;
  readonly form: Form;
  readonly spans: { readonly model: Span };
}

/** The most that a picture takes when it is read closely, above every model's published rule; and what is usual. */
const MOST_TOKENS_READ = 8_192;
const USUAL_TOKENS_READ = 800;

const parse = <E extends ImageEndpoint>(endpoint: E, body: Buffer, boundary: string): ParsedImageForm<E> | Refusal => {
  const form = readForm(body, boundary);
  if ('refused' in form) return form;
  const request = ImagesForm.safeParse({ ...form.fields });
  if (!request.success) return firstIssue(request.error);
  if (form.model === null) return refuse('invalid_request', 'model: the form does not name one.', { param: 'model' });
  if (form.files.length === 0) return refuse('invalid_request', 'image: the form has no picture.', { param: 'image' });
  return { endpoint, body, request: request.data, form, spans: { model: form.model } };
};

/** Pictures from pictures, which come as a form. */
export const imageForm = <E extends ImageEndpoint>(endpoint: E, path: string): EndpointRules<ParsedImageForm<E>> => ({
  bodies: 'form',
  answers: 'asked',
  door: 'images',
  kinds: new Set(['image', 'other']),
  path,
  canCharge: canChargeImages,
  parse: (body, _limits, boundary = '') => parse(endpoint, body, boundary),
  streamed: ({ request }) => request.stream === true,
  bound: ({ request, form }, price) =>
    boundImages(request, price, Buffer.byteLength(request.prompt ?? '') + form.files.length * MOST_TOKENS_READ, true),
  convert: ({ body, spans }, conversion) => convertForm(body, spans.model, conversion),
  headers: ({ form }) => formHeaders(form.boundary),
  reading: (answer, { request }, price) => readImages(answer, request, price),
  heard: (heard, { request }, price) => hearImages(heard, request, price),
  produced: () => NOTHING_PRODUCED,
  estimate: (counter, { request, form }, price) =>
    estimateImages(counter, request, price, request.prompt ?? '', form.files.length * USUAL_TOKENS_READ),
  toolUses: () => 0,
  finish: (body) => body,
});
