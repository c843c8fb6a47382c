import { UNKNOWN_OUTPUT_LIMIT } from '../../../domain/pricing/worst-case.ts';
import { promptOf, type Countable } from '../../../domain/tokens/chat-text.ts';
import { boundPrompt } from '../../../domain/tokens/prompt-bound.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import { ChatRequest, isPlainChat } from '../../../schemas/openai/chat-request.ts';
import { elidedFrom } from '../bodies/elision.ts';
import { convertRequest } from '../convert.ts';
import { valueOfAnswer } from '../hub-answer.ts';
import { scanObject, type Span } from '../json-spans.ts';
import type { NativeRequest } from '../native/native-request.ts';
import { firstIssue, readObject } from '../parse.ts';
import { producedByAnswer } from '../produced-text.ts';
import { readUsage } from '../read-usage.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { countBoth } from './count-tokens.ts';
import type { Bounded, EndpointRules } from './endpoint.ts';
import { jsonInAndOut } from './json-in-and-out.ts';

/** The members that may have to be changed in the raw bytes on the way to the upstream. */
const MEMBERS = [
  'model',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'messages',
  'service_tier',
  'tools',
  'modalities',
] as const;

/** A call in the words of the Responses API, for upstreams that know them. */
export interface ResponsesWords {
  readonly request: Readonly<Record<string, unknown>>;
  /** Its size as JSON. */
  readonly bytes: number;
  /** How often an upstream's own tools may be used at most, as far as that is bounded. */
  readonly toolUses: number;
  /** What of it chat completions cannot say; `null`: all is said. */
  readonly unsayable: Refusal | null;
}

/** A chat in a format that is not the hub's and that upstreams speak too. */
export interface ChatInOwnForm {
  readonly request: NativeRequest;
  bound(price: ModelPrice): Bounded;
  /** For upstreams that speak another format; with `extras`, for one that understands what the hub carries beside its form. */
  hub(extras: boolean): ParsedChat | Refusal;
  /** What of it counts as its prompt for a model of this name, for where nobody reports what it took. */
  prompt(model: string): Countable;
}

export interface ParsedChat {
  readonly endpoint: 'chat';
  readonly body: Buffer;
  readonly request: ChatRequest;
  readonly spans: {
    readonly model: Span;
    readonly streamOptions: Span | null;
    readonly maxTokens: Span | null;
    readonly maxCompletionTokens: Span | null;
  };
  /** Where a member can be put in. */
  readonly inside: number;
  /** The call in the words of the Responses API, where its client used those. */
  readonly responses?: ResponsesWords;
  /** The request in its client's own format; `null` where that is this one. Else `request` has no more than what routing needs. */
  readonly native: ChatInOwnForm | null;
}

/** Tiers that an upstream bills at another price than the list's. */
const UNPRICED_TIERS: ReadonlySet<string> = new Set(['priority', 'scale', 'fast']);

const requestIn = (value: unknown): ChatRequest | Refusal => {
  let request: ChatRequest;
  if (isPlainChat(value)) request = value;
  else {
    const parsed = ChatRequest.safeParse(value);
    if (!parsed.success) return firstIssue(parsed.error);
    request = parsed.data;
  }
  if (request.service_tier !== undefined && request.service_tier !== null && UNPRICED_TIERS.has(request.service_tier)) {
    return refuse(
      'invalid_request',
      `The service tier "${request.service_tier}" has no price here; leave service_tier out, or send "auto", "default" or "flex".`,
      { param: 'service_tier' },
    );
  }
  return request;
};

const spansIn = (found: readonly (Span | null)[]): ParsedChat['spans'] => {
  const [model, , streamOptions, maxTokens, maxCompletionTokens] = found as [Span, Span | null, Span | null, Span | null, Span | null];
  return { model, streamOptions, maxTokens, maxCompletionTokens };
};

const parse = (body: Buffer, limits: RelayLimits): ParsedChat | Refusal => {
  const read = readObject(body, MEMBERS, limits);
  if ('refused' in read) return read;
  const request = requestIn(read.value);
  if (isRefusal(request)) return request;
  return { endpoint: 'chat', body, request, spans: spansIn(read.spans), inside: read.inside, native: null };
};

/** A request that was made of one in another format. It becomes a body only where an upstream is sent it as it is. */
export const toldChat = (value: object): ParsedChat | Refusal => {
  const request = requestIn(value);
  if (isRefusal(request)) return request;
  let written: Pick<ParsedChat, 'body' | 'spans' | 'inside'> | null = null;
  const write = (): Pick<ParsedChat, 'body' | 'spans' | 'inside'> => {
    const body = Buffer.from(JSON.stringify(value));
    const { spans, inside } = scanObject(body, MEMBERS);
    return { body, spans: spansIn(spans), inside };
  };
  return {
    endpoint: 'chat',
    request,
    native: null,
    get body() {
      return (written ??= write()).body;
    },
    get spans() {
      return (written ??= write()).spans;
    },
    get inside() {
      return (written ??= write()).inside;
    },
  };
};

/** The most that one choice may produce: what the caller allows, and never more than the model can. */
const outputPerChoice = (request: ChatRequest, modelLimit: number | undefined): number => {
  const asked = Math.max(request.max_tokens ?? 0, request.max_completion_tokens ?? 0);
  if (asked === 0) return modelLimit ?? UNKNOWN_OUTPUT_LIMIT;
  return modelLimit === undefined ? asked : Math.min(asked, modelLimit);
};

/** Predicted output that is not used is billed as output. */
const predictedTokens = (request: ChatRequest): number => {
  const prediction = request['prediction'];
  return prediction === undefined || prediction === null ? 0 : Buffer.byteLength(JSON.stringify(prediction));
};

const searches = ({ request }: ParsedChat): number => {
  const search = request['web_search_options'];
  return search === undefined || search === null ? 0 : 1;
};

/** Chat completions, the form within the relay of all chat. */
export const chat: EndpointRules<ParsedChat> = {
  ...jsonInAndOut,
  door: 'chat',
  kinds: new Set(['chat', 'completion', 'responses', 'other']),
  path: '/chat/completions',
  canCharge: ({ rates }) => rates.call !== undefined || (rates.input !== undefined && rates.output !== undefined),
  parse,
  streamed: ({ request }) => request.stream === true,
  bound: (parsed, price) => {
    const { request, body, native } = parsed;
    if (native !== null) return native.bound(price);
    const prompt = boundPrompt(request, Math.max(body.length, parsed.responses?.bytes ?? 0), price.contextTokens, elidedFrom(body));
    const choices = request.n ?? 1;
    const predicted = predictedTokens(request);
    return {
      choices,
      predicted,
      pictures: prompt.pictures,
      bound: {
        promptTokens: prompt.tokens,
        outputTokens: outputPerChoice(request, price.maxOutputTokens) * choices + predicted,
        audioInput: prompt.audio,
        imageInput: prompt.image,
        audioOutput: request.modalities?.includes('audio') ?? false,
        imageOutput: request.modalities?.includes('image') ?? false,
        toolUses: searches(parsed) + (parsed.responses?.toolUses ?? 0),
      },
    };
  },
  convert: convertRequest,
  reading: (answer) => readUsage(answer, 'chat'),
  produced: (answer) => producedByAnswer(valueOfAnswer(answer)),
  estimate: async (counter, { body, request, native }, { contextTokens }, produced) => {
    const prompt = native === null ? promptOf(request, counter.model, elidedFrom(body)) : native.prompt(counter.model);
    const usage = await countBoth(counter, prompt, produced);
    // No prompt is longer than the model's window, whatever its media are reckoned at.
    return usage.input !== undefined && contextTokens !== undefined && usage.input > contextTokens
      ? { ...usage, input: contextTokens }
      : usage;
  },
  toolUses: searches,
  finish: (body) => body,
};
