import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { chargedSeconds, usualSeconds, type VideoAsked } from '../../../domain/task/video-asked.ts';
import { refuse } from '../../../schemas/errors.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import type { Conversion } from '../convert.ts';
import { splice, type Span } from '../json-spans.ts';
import type { EndpointRules } from './endpoint.ts';
import { formHeaders, type Form } from './form.ts';
import { NOTHING_PRODUCED, promptOnly } from './prompt-only.ts';

export interface ParsedVideo {
  readonly endpoint: 'videos';
  readonly body: Buffer;
  readonly request: { readonly model: string };
  readonly asked: VideoAsked;
  /** The body is in OpenAI's own form and goes out as it is, but for the model's name. */
  readonly own: { readonly model: Span | null } | null;
  readonly form: Form | null;
  /** The upstream's name of the video that this one is made from. */
  readonly remixed: string | null;
}

/** OpenAI's form, from what was asked in other words. */
const openaiBody = ({ request: { model }, asked: { prompt, seconds, size, image, extras } }: ParsedVideo, upstreamModel: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      ...extras,
      model: upstreamModel,
      prompt,
      seconds: String(seconds ?? usualSeconds(model)),
      ...(size === null ? {} : { size }),
      ...(image === null ? {} : { input_reference: { image_url: image } }),
    }),
  );

const convert = (parsed: ParsedVideo, { upstreamModel }: Conversion): Buffer => {
  const { own, body, form, remixed, request } = parsed;
  if (remixed !== null) return body;
  if (own?.model === null || own === null) return openaiBody(parsed, upstreamModel);
  if (upstreamModel === request.model) return body;
  return splice(body, [{ ...own.model, text: form === null ? JSON.stringify(upstreamModel) : upstreamModel }]);
};

const used = ({ request, asked }: ParsedVideo, { rates }: ModelPrice): UsageReading => ({
  kind: 'reported',
  usage: rates.second === undefined ? {} : { second: chargedSeconds(request.model, asked) },
  promptTokens: 0,
  outputTokens: 0,
});

/** Videos, which take longer than a call: what they cost is known by what was asked for, and is charged when an upstream has taken it. */
export const videos: EndpointRules<ParsedVideo> = {
  bodies: 'either',
  answers: 'asked',
  door: 'tasks',
  kinds: new Set(['video', 'other']),
  path: '/videos',
  pathFor: ({ remixed }) => (remixed === null ? '/videos' : `/videos/${encodeURIComponent(remixed)}/remix`),
  canCharge: ({ rates }) => rates.second !== undefined || rates.call !== undefined,
  parse: () => refuse('invalid_request'),
  streamed: () => false,
  bound: ({ request, asked }) => {
    const nothing = promptOnly(0);
    return { ...nothing, bound: { ...nothing.bound, seconds: chargedSeconds(request.model, asked) } };
  },
  convert,
  headers: ({ form }) => (form === null ? {} : formHeaders(form.boundary)),
  reading: (_answer, parsed, price) => used(parsed, price),
  produced: () => NOTHING_PRODUCED,
  estimate: (_counter, parsed, price) => {
    const reading = used(parsed, price);
    return Promise.resolve(reading.kind === 'reported' ? reading.usage : {});
  },
  toolUses: () => 0,
  finish: (body) => body,
};
