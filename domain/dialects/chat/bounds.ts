import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import type { SaidPart } from './turns.ts';

/** What cannot be passed on, by the member that asks for it. */
export const unsayable = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

export const isUnsayable = (value: object): value is Refusal => 'refused' in value;

/** What no format but OpenAI’s own has: several answers, and answers that are no texts. */
export const beyondOneText = (request: ChatRequest): Refusal | null => {
  if ((request.n ?? 1) > 1) return unsayable('this model gives one answer at a time.', 'n');
  return request.modalities?.some((modality) => modality !== 'text') === true
    ? unsayable('this model answers in text only.', 'modalities')
    : null;
};

/** Sequences at which to stop, those that say something. */
export const stopsOf = (stop: unknown): readonly string[] =>
  (Array.isArray(stop) ? (stop as readonly unknown[]) : [stop]).filter((one): one is string => typeof one === 'string' && one !== '');

export const textIn = (parts: readonly SaidPart[]): string => parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');

/** The address of an image, or its bytes as one. */
export const imageUrl = (part: Extract<SaidPart, { readonly kind: 'image' }>): string =>
  'url' in part.source ? part.source.url : `data:${part.source.type};base64,${part.source.data}`;
