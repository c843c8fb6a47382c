import { refuse } from '../../../schemas/errors.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { EndpointRules } from './endpoint.ts';
import { jsonInAndOut } from './json-in-and-out.ts';
import { NOTHING_PRODUCED, promptOnly } from './prompt-only.ts';

type PieceEndpoint = 'music' | 'midjourney';

/** A task in its upstream's own form. */
export interface ParsedPieceTask<E extends PieceEndpoint> {
  readonly endpoint: E;
  readonly body: Buffer;
  /** The model is what prices and channels know the action by; it is nowhere in the body. */
  readonly request: { readonly model: string };
  /** Behind the upstream's base URL. */
  readonly path: string;
}

const usageOf = ({ rates }: ModelPrice): Usage => (rates.image === undefined ? {} : { image: 1 });

/** Tasks that cost the same each: by the call, or by the picture where the price has a rate for it. */
export const pieceTasks = <E extends PieceEndpoint>(): EndpointRules<ParsedPieceTask<E>> => ({
  ...jsonInAndOut,
  door: 'tasks',
  kinds: new Set(['image', 'video', 'other']),
  path: '',
  pathFor: ({ path }) => path,
  canCharge: ({ rates }) => rates.call !== undefined || rates.image !== undefined,
  parse: () => refuse('invalid_request'),
  streamed: () => false,
  bound: () => {
    const nothing = promptOnly(0);
    return { ...nothing, bound: { ...nothing.bound, images: 1 } };
  },
  convert: ({ body }) => body,
  reading: (_answer, _parsed, price) => ({ kind: 'reported', usage: usageOf(price), promptTokens: 0, outputTokens: 0 }),
  produced: () => NOTHING_PRODUCED,
  estimate: (_counter, _parsed, price) => Promise.resolve(usageOf(price)),
  toolUses: () => 0,
  finish: (body) => body,
});
