import { Tiktoken } from 'js-tiktoken/lite';
import ranks from 'js-tiktoken/ranks/o200k_base';
import { tokenizerOf } from '../../../domain/tokens/tokenizer.ts';
import { countTexts } from '../../../infra/token-counter/count-texts.ts';
import type { TokenCounter } from '../../../gateways/ports/token-counter.ts';

/** How far a stream comes before one side is gone. */
export const POINTS = [
  'before the answer begins',
  'before the first token',
  'in the middle of a text',
  'in the middle of a call',
  'all but its end',
  'at its end',
] as const;
export type Point = (typeof POINTS)[number];

/** What an upstream sends, in the order of {@link POINTS}: all that has gone out when a stream has come as far as that. */
export type Script = Readonly<Record<Exclude<Point, 'before the answer begins' | 'before the first token'>, readonly string[]>>;

/** One dialect that clients and upstreams speak. */
export interface Streaming {
  readonly name: 'chat completions' | 'Responses' | 'Messages' | 'generateContent';
  readonly provider: 'openai' | 'anthropic' | 'gemini';
  readonly base: string;
  readonly path: string;
  request(prompt: string): object;
  script(reports: boolean): Script;
  /** Says what its prompt took ahead of its end. */
  readonly reportsPromptEarly: boolean;
  /** What ends a stream says what it took, so that what lacks its end lacks that too. */
  readonly reportsAtEndOnly: boolean;
  /** Bills a stream to its end, so that it is read to its end. */
  readonly isReadOn: boolean;
}

const encoder = new Tiktoken(ranks);
const counted = (text: string): number => encoder.encode(text, [], []).length;

/** The counter that runs in production, on this thread. */
export const exactCounter: TokenCounter = {
  count: (texts, model) => Promise.resolve(countTexts(encoder, texts, tokenizerOf(model))),
};

const WORDS = 'The ledger of a harbour lists ships, cargoes and debts; every line was written before anybody was told of it. ';
export const PROMPT = WORDS.repeat(12);
const HALF = WORDS.repeat(4);
const NAME = 'weather_in_cities';
const ARGUMENTS = JSON.stringify({ cities: ['Oslo', 'Rome', 'Lima', 'Accra'], from: '2026-11-23', to: '2026-11-30', unit: 'celsius' });
const [ARGUMENTS_BEGUN, ARGUMENTS_REST] = [ARGUMENTS.slice(0, 40), ARGUMENTS.slice(40)];

/** Seven for the frame of one message. */
const PROMPT_TOKENS = counted(PROMPT) + 7;
const CACHED = 100;
const OUTPUT_TOKENS = counted(HALF + HALF) + counted(NAME) + counted(ARGUMENTS) + 5;

/** Tokens by an account that shares nothing with the relay's. */
export const TRUTH = {
  prompt: PROMPT_TOKENS,
  cached: CACHED,
  output: OUTPUT_TOKENS,
  halfText: counted(HALF),
  begunCall: counted(HALF) + counted(HALF) + counted(NAME) + counted(ARGUMENTS_BEGUN),
  all: counted(HALF) + counted(HALF) + counted(NAME) + counted(ARGUMENTS),
};

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (type: string, value: object): string => `event: ${type}\n${data({ type, ...value })}`;

const piecesOf = (text: string): readonly string[] => text.match(/.{1,37}/gs) ?? [];

const chatChunk = (delta: object, finish: string | null = null): string =>
  data({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] });

const openaiChat: Streaming = {
  name: 'chat completions',
  provider: 'openai',
  base: '/v1',
  path: '/v1/chat/completions',
  request: (prompt) => ({ model: 'm', stream: true, max_tokens: 4_000, messages: [{ role: 'user', content: prompt }] }),
  reportsPromptEarly: false,
  reportsAtEndOnly: false,
  isReadOn: false,
  script: (reports) => {
    const texts = piecesOf(HALF).map((content) => chatChunk({ content }));
    const call = (more: object): string => chatChunk({ tool_calls: [{ index: 0, ...more }] });
    const usage = {
      prompt_tokens: PROMPT_TOKENS,
      completion_tokens: OUTPUT_TOKENS,
      total_tokens: PROMPT_TOKENS + OUTPUT_TOKENS,
      prompt_tokens_details: { cached_tokens: CACHED },
    };
    return {
      'in the middle of a text': [chatChunk({ role: 'assistant', content: '' }), ...texts],
      'in the middle of a call': [
        ...texts,
        call({ id: 'call_1', type: 'function', function: { name: NAME, arguments: '' } }),
        call({ function: { arguments: ARGUMENTS_BEGUN } }),
      ],
      'all but its end': [
        call({ function: { arguments: ARGUMENTS_REST } }),
        chatChunk({}, 'tool_calls'),
        ...(reports ? [data({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage })] : []),
      ],
      'at its end': ['data: [DONE]\n\n'],
    };
  },
};

const responses: Streaming = {
  name: 'Responses',
  provider: 'openai',
  base: '/v1',
  path: '/v1/responses',
  request: (prompt) => ({ model: 'm', stream: true, store: false, max_output_tokens: 4_000, input: prompt }),
  reportsPromptEarly: false,
  reportsAtEndOnly: true,
  isReadOn: false,
  script: (reports) => {
    const response = (status: string, more: object): object => ({
      id: 'resp_1',
      object: 'response',
      created_at: 1,
      status,
      model: 'm',
      ...more,
    });
    const text = {
      id: 'msg_1',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: HALF + HALF, annotations: [] }],
    };
    const call = { id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'call_1', name: NAME, arguments: ARGUMENTS };
    const deltas = piecesOf(HALF).map((delta) =>
      named('response.output_text.delta', { output_index: 0, item_id: 'msg_1', content_index: 0, delta }),
    );
    const usage = {
      input_tokens: PROMPT_TOKENS,
      input_tokens_details: { cached_tokens: CACHED },
      output_tokens: OUTPUT_TOKENS,
      total_tokens: PROMPT_TOKENS + OUTPUT_TOKENS,
    };
    return {
      'in the middle of a text': [
        named('response.created', { response: response('in_progress', { output: [], usage: null }) }),
        named('response.output_item.added', { output_index: 0, item: { ...text, content: [] } }),
        ...deltas,
      ],
      'in the middle of a call': [
        ...deltas,
        named('response.output_item.done', { output_index: 0, item: text }),
        named('response.output_item.added', { output_index: 1, item: { ...call, arguments: '' } }),
        named('response.function_call_arguments.delta', { output_index: 1, item_id: 'fc_1', delta: ARGUMENTS_BEGUN }),
      ],
      'all but its end': [
        named('response.function_call_arguments.delta', { output_index: 1, item_id: 'fc_1', delta: ARGUMENTS_REST }),
        named('response.output_item.done', { output_index: 1, item: call }),
      ],
      'at its end': [
        named('response.completed', {
          response: response('completed', { output: [text, call], ...(reports ? { usage } : { usage: null }) }),
        }),
      ],
    };
  },
};

const messages: Streaming = {
  name: 'Messages',
  provider: 'anthropic',
  base: '/v1',
  path: '/v1/messages',
  request: (prompt) => ({ model: 'm', stream: true, max_tokens: 4_000, messages: [{ role: 'user', content: prompt }] }),
  reportsPromptEarly: true,
  reportsAtEndOnly: false,
  isReadOn: false,
  script: (reports) => {
    const input = { input_tokens: PROMPT_TOKENS - CACHED, cache_read_input_tokens: CACHED };
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null };
    const texts = piecesOf(HALF).map((text) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }));
    const json = (partial: string): string =>
      named('content_block_delta', { index: 1, delta: { type: 'input_json_delta', partial_json: partial } });
    return {
      'in the middle of a text': [
        named('message_start', { message: { ...message, ...(reports ? { usage: { ...input, output_tokens: 1 } } : {}) } }),
        named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
        ...texts,
      ],
      'in the middle of a call': [
        ...texts,
        named('content_block_stop', { index: 0 }),
        named('content_block_start', { index: 1, content_block: { type: 'tool_use', id: 'toolu_1', name: NAME, input: {} } }),
        json(ARGUMENTS_BEGUN),
      ],
      'all but its end': [
        json(ARGUMENTS_REST),
        named('content_block_stop', { index: 1 }),
        named('message_delta', {
          delta: { stop_reason: 'tool_use', stop_sequence: null },
          ...(reports ? { usage: { output_tokens: OUTPUT_TOKENS } } : {}),
        }),
      ],
      'at its end': [named('message_stop', {})],
    };
  },
};

const generateContent: Streaming = {
  name: 'generateContent',
  provider: 'gemini',
  base: '/v1beta',
  path: '/v1beta/models/m:streamGenerateContent?alt=sse',
  request: (prompt) => ({ contents: [{ role: 'user', parts: [{ text: prompt }] }], generationConfig: { maxOutputTokens: 4_000 } }),
  reportsPromptEarly: true,
  reportsAtEndOnly: false,
  isReadOn: true,
  script: (reports) => {
    const prompt = { promptTokenCount: PROMPT_TOKENS, cachedContentTokenCount: CACHED };
    const early = reports ? { usageMetadata: { ...prompt, totalTokenCount: PROMPT_TOKENS } } : {};
    const late = reports
      ? { usageMetadata: { ...prompt, candidatesTokenCount: OUTPUT_TOKENS, totalTokenCount: PROMPT_TOKENS + OUTPUT_TOKENS } }
      : {};
    const said = (parts: readonly object[], more: object, finish: object = {}): string =>
      data({ candidates: [{ content: { role: 'model', parts }, index: 0, ...finish }], modelVersion: 'm', responseId: 'r1', ...more });
    const texts = piecesOf(HALF).map((text) => said([{ text }], early));
    const call = { functionCall: { name: NAME, args: JSON.parse(ARGUMENTS) as object } };
    return {
      'in the middle of a text': texts,
      // Google does not cut calls into pieces: the nearest is before the only one.
      'in the middle of a call': texts,
      'all but its end': [said([call], early), said([{ text: '' }], late, { finishReason: 'STOP' })],
      // The end of the body is the only end that there is.
      'at its end': [],
    };
  },
};

export const STREAMINGS: readonly Streaming[] = [openaiChat, responses, messages, generateContent];
