import { likelyImageTokens, mostImageTokens, type ImagesAsked } from '../../../domain/pricing/image-tokens.ts';
import { readMediaUsage, sumOfReadings } from '../../../domain/pricing/media-usage.ts';
import { piecesOfPicture } from '../../../domain/pricing/picture-pieces.ts';
import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import type { CallBound } from '../../../domain/pricing/worst-case.ts';
import { boundInput } from '../../../domain/tokens/prompt-bound.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import { ImagesRequest, type ImagesForm } from '../../../schemas/openai/images-request.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import type { Usage } from '../../../schemas/usage.ts';
import { convertRequest } from '../convert.ts';
import { bytesOfAnswer } from '../hub-answer.ts';
import { countElements, scanObject, type Span } from '../json-spans.ts';
import { firstIssue, readObject } from '../parse.ts';
import { usageIn } from '../read-usage.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { ModelCounter } from './count-tokens.ts';
import type { Bounded, EndpointRules, Heard, WholeAnswer } from './endpoint.ts';
import { jsonInAndOut } from './json-in-and-out.ts';
import { NOTHING_PRODUCED } from './prompt-only.ts';

export interface ParsedImages {
  readonly endpoint: 'images';
  readonly body: Buffer;
  readonly request: ImagesRequest;
  readonly spans: { readonly model: Span };
  readonly inside: number;
}

const MEMBERS = ['model', 'prompt', 'n', 'size', 'quality', 'stream', 'partial_images'] as const;

const parse = (body: Buffer, limits: RelayLimits): ParsedImages | Refusal => {
  const read = readObject(body, MEMBERS, limits);
  if ('refused' in read) return read;
  const parsed = ImagesRequest.safeParse(read.value);
  if (!parsed.success) return firstIssue(parsed.error);
  return { endpoint: 'images', body, request: parsed.data, spans: { model: read.spans[0] as Span }, inside: read.inside };
};

type Asked = Pick<ImagesRequest | ImagesForm, 'model' | 'n' | 'size' | 'quality' | 'stream' | 'partial_images'>;

const asked = (request: Asked): ImagesAsked => ({
  n: request.n ?? 1,
  size: request.size ?? null,
  quality: request.quality ?? null,
  partialImages: request.stream === true ? (request.partial_images ?? 0) : 0,
});

/** Pictures are charged by the piece, or by tokens as text is; which of both is for the price to say. */
export const canChargeImages = ({ rates }: ModelPrice): boolean =>
  rates.call !== undefined ||
  rates.image !== undefined ||
  (rates.input !== undefined && (rates.imageOutput !== undefined || rates.output !== undefined));

/** The most that pictures cost that are made from `promptTokens`, of pictures if `imageInput`. */
export const boundImages = (request: Asked, price: ModelPrice, promptTokens: number, imageInput: boolean): Bounded => {
  const pictures = asked(request);
  const outputTokens = mostImageTokens(pictures);
  const bound: CallBound = {
    promptTokens,
    outputTokens,
    audioInput: false,
    imageInput,
    audioOutput: false,
    imageOutput: true,
    toolUses: 0,
    images: pictures.n * piecesOfPicture(request.model, price, request),
  };
  return { bound, choices: 1, predicted: outputTokens };
};

const byPiece = (images: number): UsageReading => ({ kind: 'reported', usage: { image: images }, promptTokens: 0, outputTokens: 0 });

/** By the pictures that came where the price is by the piece, else by the tokens that are reported. */
export const readImages = (answer: WholeAnswer, request: Asked, price: ModelPrice): UsageReading => {
  if (price.rates.image === undefined) return readMediaUsage(usageIn(answer), 'imageOutput');
  const bytes = bytesOfAnswer(answer.body);
  const data = scanObject(bytes, ['data']).spans[0];
  const images = data === null || data === undefined ? 0 : countElements(bytes, data.start);
  return images === 0 ? { kind: 'absent' } : byPiece(images * piecesOfPicture(request.model, price, request));
};

/** The same of a stream. What of it was not there when it ended may have been made all the same. */
export const hearImages = ({ usages, ended }: Heard, request: Asked, price: ModelPrice): UsageReading => {
  if (price.rates.image === undefined) return sumOfReadings(usages.map((usage) => readMediaUsage(usage, 'imageOutput')));
  return ended >= (request.n ?? 1) ? byPiece(ended * piecesOfPicture(request.model, price, request)) : { kind: 'absent' };
};

export const estimateImages = async (
  counter: ModelCounter,
  request: Asked,
  price: ModelPrice,
  prompt: string,
  inputImages: number,
): Promise<Usage> => {
  const pictures = asked(request);
  if (price.rates.image !== undefined) return { image: pictures.n * piecesOfPicture(request.model, price, request) };
  const input = await counter.count([prompt]);
  return {
    ...(input > 0 ? { input } : {}),
    ...(inputImages > 0 ? { imageInput: inputImages } : {}),
    imageOutput: likelyImageTokens(pictures),
  };
};

/** Pictures from words. */
export const images: EndpointRules<ParsedImages> = {
  ...jsonInAndOut,
  door: 'images',
  kinds: new Set(['image', 'other']),
  path: '/images/generations',
  canCharge: canChargeImages,
  parse,
  streamed: ({ request }) => request.stream === true,
  bound: ({ body, request }, price) => boundImages(request, price, boundInput(body.length), false),
  convert: convertRequest,
  reading: (answer, { request }, price) => readImages(answer, request, price),
  heard: (heard, { request }, price) => hearImages(heard, request, price),
  produced: () => NOTHING_PRODUCED,
  estimate: (counter, { request }, price) => estimateImages(counter, request, price, request.prompt, 0),
  toolUses: () => 0,
  finish: (body) => body,
};
