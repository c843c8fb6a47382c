import type { Countable } from '../../../domain/tokens/chat-text.ts';
import { boundInput } from '../../../domain/tokens/prompt-bound.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import { ModerationsRequest } from '../../../schemas/openai/moderations-request.ts';
import { convertRequest } from '../convert.ts';
import type { Span } from '../json-spans.ts';
import { firstIssue, readObject } from '../parse.ts';
import { readUsage } from '../read-usage.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { countBoth } from './count-tokens.ts';
import type { EndpointRules } from './endpoint.ts';
import { jsonInAndOut } from './json-in-and-out.ts';
import { NOTHING_PRODUCED, promptOnly } from './prompt-only.ts';

export interface ParsedModeration {
  readonly endpoint: 'moderations';
  readonly body: Buffer;
  readonly request: ModerationsRequest;
  /** `null`: the caller leaves the choice of a model to the format's default. */
  readonly spans: { readonly model: Span | null };
  readonly inside: number;
}

const parse = (body: Buffer, limits: RelayLimits): ParsedModeration | Refusal => {
  const read = readObject(body, ['model', 'input'], limits);
  if ('refused' in read) return read;
  const parsed = ModerationsRequest.safeParse(read.value);
  if (!parsed.success) return firstIssue(parsed.error);
  return { endpoint: 'moderations', body, request: parsed.data, spans: { model: read.spans[0] ?? null }, inside: read.inside };
};

const inputOf = ({ input }: ModerationsRequest): Countable => {
  if (typeof input === 'string') return { texts: [input], tokens: 0 };
  const texts = input.flatMap((item) => {
    if (typeof item === 'string') return [item];
    return typeof item['text'] === 'string' ? [item['text']] : [];
  });
  return { texts, tokens: 0 };
};

export const moderations: EndpointRules<ParsedModeration> = {
  ...jsonInAndOut,
  door: 'moderations',
  kinds: new Set(['moderation', 'other']),
  path: '/moderations',
  canCharge: ({ rates }) => rates.call !== undefined || rates.input !== undefined,
  parse,
  streamed: () => false,
  bound: ({ body }) => promptOnly(boundInput(body.length)),
  convert: convertRequest,
  reading: (answer) => readUsage(answer, 'embeddings'),
  produced: () => NOTHING_PRODUCED,
  estimate: (counter, { request }, _price, produced) => countBoth(counter, inputOf(request), produced),
  toolUses: () => 0,
  finish: (body) => body,
};
