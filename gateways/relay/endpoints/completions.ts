import { inputOf } from '../../../domain/tokens/chat-text.ts';
import { boundInput } from '../../../domain/tokens/prompt-bound.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import { CompletionsRequest } from '../../../schemas/openai/completions-request.ts';
import { convertRequest } from '../convert.ts';
import { valueOfAnswer } from '../hub-answer.ts';
import type { Span } from '../json-spans.ts';
import { firstIssue, readObject } from '../parse.ts';
import { producedByAnswer } from '../produced-text.ts';
import { readUsage } from '../read-usage.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { countBoth } from './count-tokens.ts';
import type { EndpointRules } from './endpoint.ts';
import { jsonInAndOut } from './json-in-and-out.ts';

const MEMBERS = ['model', 'stream', 'stream_options', 'max_tokens', 'n', 'best_of', 'prompt', 'echo'] as const;

export interface ParsedCompletion {
  readonly endpoint: 'completions';
  readonly body: Buffer;
  readonly request: CompletionsRequest;
  readonly spans: {
    readonly model: Span;
    readonly streamOptions: Span | null;
    readonly maxTokens: Span | null;
    readonly maxCompletionTokens: null;
  };
  readonly inside: number;
}

/** What the format itself says where the caller says nothing. */
const DEFAULT_OUTPUT = 16;

const parse = (body: Buffer, limits: RelayLimits): ParsedCompletion | Refusal => {
  const read = readObject(body, MEMBERS, limits);
  if ('refused' in read) return read;
  const parsed = CompletionsRequest.safeParse(read.value);
  if (!parsed.success) return firstIssue(parsed.error);
  const [model, , streamOptions, maxTokens] = read.spans as [Span, Span | null, Span | null, Span | null];
  return {
    endpoint: 'completions',
    body,
    request: parsed.data,
    spans: { model, streamOptions, maxTokens, maxCompletionTokens: null },
    inside: read.inside,
  };
};

/** Texts that are written: so many for each prompt. */
const choicesOf = ({ prompt, n, best_of: bestOf }: CompletionsRequest): number => {
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? Math.max(1, prompt.length) : 1;
  return prompts * Math.max(n ?? 1, bestOf ?? 1);
};

/** Completions as they were before there was chat, plain and streamed. */
export const completions: EndpointRules<ParsedCompletion> = {
  ...jsonInAndOut,
  door: 'chat',
  kinds: new Set(['completion', 'chat', 'other']),
  path: '/completions',
  canCharge: ({ rates }) => rates.call !== undefined || (rates.input !== undefined && rates.output !== undefined),
  parse,
  streamed: ({ request }) => request.stream === true,
  bound: ({ body, request }, price) => {
    const choices = choicesOf(request);
    const asked = request.max_tokens ?? DEFAULT_OUTPUT;
    const each = price.maxOutputTokens === undefined ? asked : Math.min(asked, price.maxOutputTokens);
    return {
      choices,
      predicted: 0,
      bound: {
        promptTokens: boundInput(body.length),
        outputTokens: each * choices,
        audioInput: false,
        imageInput: false,
        audioOutput: false,
        imageOutput: false,
        toolUses: 0,
      },
    };
  },
  convert: convertRequest,
  reading: (answer) => readUsage(answer, 'chat'),
  produced: (answer) => producedByAnswer(valueOfAnswer(answer)),
  estimate: async (counter, { request }, _price, produced) => {
    const usage = await countBoth(counter, inputOf({ input: request.prompt ?? '' }), produced);
    // What is repeated of the prompt was not written.
    if (request.echo !== true || usage.output === undefined) return usage;
    return { ...usage, output: Math.max(0, usage.output - (usage.input ?? 0) * (request.n ?? 1)) };
  },
  toolUses: () => 0,
  finish: (body) => body,
};
