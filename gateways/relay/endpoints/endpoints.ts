import type { Refusal } from '../../../schemas/errors.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import type { Endpoint } from '../call.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { chat } from './chat.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import type { EndpointMoney, EndpointRules } from './endpoint.ts';
import { imageEdits } from './image-edits.ts';
import { imageVariations } from './image-variations.ts';
import { images } from './images.ts';
import { moderations } from './moderations.ts';
import { pieceTasks } from './piece-tasks.ts';
import { realtime, type ParsedRealtime } from './realtime.ts';
import { rerank } from './rerank.ts';
import { speech } from './speech.ts';
import { transcriptions } from './transcriptions.ts';
import { translations } from './translations.ts';
import { videos } from './videos.ts';
import type { ParsedRequest } from './parsed-request.ts';

/** Kinds of calls that are one request and its answer. */
type RequestEndpoint = ParsedRequest['endpoint'];

const ENDPOINTS: { readonly [E in RequestEndpoint]: EndpointRules<Extract<ParsedRequest, { readonly endpoint: E }>> } = {
  chat,
  completions,
  embeddings,
  images,
  image_edits: imageEdits,
  image_variations: imageVariations,
  moderations,
  rerank,
  speech,
  transcriptions,
  translations,
  videos,
  music: pieceTasks<'music'>(),
  midjourney: pieceTasks<'midjourney'>(),
};

/** What holds for every call at an endpoint. */
export const rulesOf = (endpoint: RequestEndpoint): EndpointRules<ParsedRequest> => ENDPOINTS[endpoint];

/** What is charged for, one request or one response of a realtime session. */
export type ParsedCharge = ParsedRequest | ParsedRealtime;

/** What decides about the money of a call. */
export const moneyOf = (endpoint: Endpoint): EndpointMoney<ParsedCharge> => (endpoint === 'realtime' ? realtime : ENDPOINTS[endpoint]);

/** The request once, at the edge. Only what decides about routing and money is looked at; the rest is the upstream's business. */
export const parse = (body: Buffer, endpoint: RequestEndpoint, limits: RelayLimits, boundary = ''): ParsedRequest | Refusal =>
  ENDPOINTS[endpoint].parse(body, limits, boundary);

/** Whether a model of this price can be called, and charged for, at the endpoint. */
export const servable = (price: ModelPrice, endpoint: Endpoint): boolean => {
  const rules = moneyOf(endpoint);
  return rules.kinds.has(price.kind) && rules.canCharge(price);
};

/** Whether there is any endpoint at which it can. */
export const servableAnywhere = (price: ModelPrice): boolean =>
  [...(Object.keys(ENDPOINTS) as readonly Endpoint[]), 'realtime' as const].some((endpoint) => servable(price, endpoint));
