import { anthropicEvents } from '../../support/fake-upstream/anthropic-mock.ts';
import { geminiEvents } from '../../support/fake-upstream/gemini-mock.ts';
import { INSTANT_MODEL } from '../mock-models.ts';

/** The model of the channel that every benchmark has. */
export const OPENAI = INSTANT_MODEL;
export const CLAUDE = 'claude-sonnet-4-5';
export const GEMINI = 'gemini-2.5-flash';

/** Some two thousand characters of prompt and an answer of two hundred words. */
const PROMPT = 'What does the ledger say of the calls of this morning? '.repeat(36);
const WORDS = Array.from({ length: 200 }, (_, index) => `word${index % 10} `);
const TEXT = WORDS.join('');

/** Pieces of a stream, each of which is one event. */
const PIECES = Array.from({ length: 100 }, (_, index) => WORDS.slice(index * 2, index * 2 + 2).join(''));

export interface Format {
  readonly name: string;
  readonly path: (model: string, streamed: boolean) => string;
  readonly body: (model: string, streamed: boolean) => string;
}

export const FORMATS = {
  chat: {
    name: 'chat completions',
    path: () => '/v1/chat/completions',
    body: (model, stream) =>
      JSON.stringify({
        model,
        stream,
        max_tokens: 400,
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: PROMPT },
        ],
      }),
  },
  messages: {
    name: 'Messages',
    path: () => '/v1/messages',
    body: (model, stream) =>
      JSON.stringify({ model, stream, max_tokens: 400, system: 'Be brief.', messages: [{ role: 'user', content: PROMPT }] }),
  },
  generate: {
    name: 'generateContent',
    path: (model, streamed) => `/v1beta/models/${model}:${streamed ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: () =>
      JSON.stringify({
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        contents: [{ role: 'user', parts: [{ text: PROMPT }] }],
        generationConfig: { maxOutputTokens: 400 },
      }),
  },
} as const satisfies Readonly<Record<string, Format>>;

const openaiUsage = { prompt_tokens: 400, completion_tokens: 200, total_tokens: 600 };
const anthropicUsage = { input_tokens: 400, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 200 };
const geminiUsage = { promptTokenCount: 400, candidatesTokenCount: 200, totalTokenCount: 600 };

const chunk = (delta: object, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: OPENAI, choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`;

const openaiStream = [
  chunk({ role: 'assistant', content: '' }),
  ...PIECES.map((content) => chunk({ content })),
  chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
  chunk({}, { choices: [], usage: openaiUsage }),
  'data: [DONE]\n\n',
];

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: CLAUDE,
  content: [{ type: 'text', text: TEXT }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: anthropicUsage,
};
const [messageStart = '', ping = '', blockStart = '', , , blockStop = '', messageDelta = '', messageStop = ''] = anthropicEvents(message);
const anthropicStream = [
  messageStart,
  ping,
  blockStart,
  ...PIECES.map(
    (text) =>
      `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })}\n\n`,
  ),
  blockStop,
  messageDelta,
  messageStop,
];

const response = (text: string): object => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: geminiUsage,
  modelVersion: GEMINI,
  responseId: 'r',
});
const geminiStream = [
  ...PIECES.map(
    (text) =>
      `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }], usageMetadata: { promptTokenCount: 400, totalTokenCount: 400 }, modelVersion: GEMINI, responseId: 'r' })}\r\n\r\n`,
  ),
  geminiEvents(response('') as Record<string, unknown>).at(-1) ?? '',
];

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: OPENAI,
  choices: [{ index: 0, message: { role: 'assistant', content: TEXT, refusal: null }, logprobs: null, finish_reason: 'stop' }],
  usage: openaiUsage,
};

/** What each upstream answers: whole, and as the events of a stream. */
export const ANSWERS = {
  [OPENAI]: { whole: JSON.stringify(completion), stream: openaiStream },
  [CLAUDE]: { whole: JSON.stringify(message), stream: anthropicStream },
  [GEMINI]: { whole: JSON.stringify(response(TEXT)), stream: geminiStream },
} as const;
