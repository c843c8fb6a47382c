import { expect } from 'chai';
import fc from 'fast-check';
import { chatUsage as anthropicUsage } from '../../../domain/dialects/anthropic/reported-usage.ts';
import { cohereUsage } from '../../../domain/dialects/cohere/reported-usage.ts';
import { converseUsage } from '../../../domain/dialects/converse/said.ts';
import { dashscopeUsage } from '../../../domain/dialects/dashscope/completion-chunks.ts';
import { chatUsage as geminiUsage } from '../../../domain/dialects/gemini/reported-usage.ts';
import { ollamaUsage } from '../../../domain/dialects/ollama/said.ts';
import { hubCompletion } from '../../../domain/dialects/responses/response-events.ts';
import { readOpenAIUsage } from '../../../domain/pricing/openai-usage.ts';
import { OUTPUT_CLASSES, PROMPT_CLASSES } from '../../../domain/pricing/rates.ts';
import type { Usage } from '../../../schemas/usage.ts';
import { check } from '../../ledger/seed.ts';

/** What an upstream bills: classes that do not overlap. */
interface Billed {
  readonly text: number;
  readonly cached: number;
  readonly written5m: number;
  readonly written1h: number;
  readonly audioIn: number;
  readonly imageIn: number;
  readonly said: number;
  readonly thought: number;
  readonly audioOut: number;
  readonly imageOut: number;
  readonly searches: number;
}

const count = fc.nat(1_000_000);
const billed: fc.Arbitrary<Billed> = fc.record({
  text: fc.integer({ min: 1, max: 1_000_000 }),
  cached: count,
  written5m: count,
  written1h: count,
  audioIn: count,
  imageIn: count,
  said: count,
  thought: count,
  audioOut: count,
  imageOut: count,
  searches: fc.nat(20),
});

interface Dialect {
  /** What it cannot tell apart is billed as something else. */
  readonly merged: (billed: Billed) => Billed;
  readonly usage: (billed: Billed) => unknown;
}

const NONE = { written5m: 0, written1h: 0, audioIn: 0, imageIn: 0, audioOut: 0, imageOut: 0, searches: 0 };
const plain = ({ text, said }: Billed): Billed => ({ ...NONE, text, cached: 0, said, thought: 0 });

const DIALECTS: Readonly<Record<string, Dialect>> = {
  'chat completions': {
    merged: (b) => b,
    usage: (b) => {
      const prompt = b.text + b.cached + b.written5m + b.written1h + b.audioIn + b.imageIn;
      const output = b.said + b.thought + b.audioOut + b.imageOut;
      return {
        prompt_tokens: prompt,
        completion_tokens: output,
        total_tokens: prompt + output,
        prompt_tokens_details: {
          cached_tokens: b.cached,
          cache_write_tokens: b.written5m + b.written1h,
          cache_write_1h_tokens: b.written1h,
          audio_tokens: b.audioIn,
          image_tokens: b.imageIn,
        },
        completion_tokens_details: { reasoning_tokens: b.thought, audio_tokens: b.audioOut, image_tokens: b.imageOut },
        server_tool_use: { web_search_requests: b.searches },
      };
    },
  },
  'chat completions that leave thoughts out of their total of output (xAI)': {
    merged: (b) => ({ ...plain(b), cached: b.cached, thought: b.thought }),
    usage: (b) => ({
      prompt_tokens: b.text + b.cached,
      completion_tokens: b.said,
      total_tokens: b.text + b.cached + b.said + b.thought,
      prompt_tokens_details: { cached_tokens: b.cached },
      completion_tokens_details: { reasoning_tokens: b.thought },
    }),
  },
  DeepSeek: {
    merged: (b) => ({ ...plain(b), cached: b.cached, thought: b.thought }),
    usage: (b) => ({
      prompt_tokens: b.text + b.cached,
      completion_tokens: b.said + b.thought,
      total_tokens: b.text + b.cached + b.said + b.thought,
      prompt_cache_hit_tokens: b.cached,
      prompt_cache_miss_tokens: b.text,
      completion_tokens_details: { reasoning_tokens: b.thought },
    }),
  },
  Perplexity: {
    merged: (b) => ({ ...plain(b), thought: b.thought, searches: b.searches }),
    usage: (b) => ({
      prompt_tokens: b.text,
      completion_tokens: b.said + b.thought,
      total_tokens: b.text + b.said + b.thought,
      reasoning_tokens: b.thought,
      num_search_queries: b.searches,
    }),
  },
  'the Responses API': {
    merged: (b) => ({ ...plain(b), cached: b.cached, thought: b.thought, searches: b.searches }),
    usage: (b) =>
      hubCompletion({
        status: 'completed',
        output: Array.from({ length: b.searches }, () => ({ type: 'web_search_call' })),
        usage: {
          input_tokens: b.text + b.cached,
          input_tokens_details: { cached_tokens: b.cached },
          output_tokens: b.said + b.thought,
          output_tokens_details: { reasoning_tokens: b.thought },
          total_tokens: b.text + b.cached + b.said + b.thought,
        },
      })['usage'],
  },
  Messages: {
    merged: (b) => ({
      ...plain(b),
      cached: b.cached,
      written5m: b.written5m,
      written1h: b.written1h,
      thought: b.thought,
      searches: b.searches,
    }),
    usage: (b) =>
      anthropicUsage({
        input_tokens: b.text,
        cache_read_input_tokens: b.cached,
        cache_creation_input_tokens: b.written5m + b.written1h,
        cache_creation: { ephemeral_5m_input_tokens: b.written5m, ephemeral_1h_input_tokens: b.written1h },
        output_tokens: b.said + b.thought,
        output_tokens_details: { thinking_tokens: b.thought },
        server_tool_use: { web_search_requests: b.searches },
      }),
  },
  Converse: {
    merged: (b) => ({ ...plain(b), cached: b.cached, written5m: b.written5m, written1h: b.written1h }),
    usage: (b) =>
      converseUsage({
        inputTokens: b.text,
        outputTokens: b.said,
        cacheReadInputTokens: b.cached,
        cacheWriteInputTokens: b.written5m + b.written1h,
        cacheDetails: [
          { ttl: '5m', inputTokens: b.written5m },
          { ttl: '1h', inputTokens: b.written1h },
        ],
      }),
  },
  generateContent: {
    merged: (b) => ({ ...b, written5m: 0, written1h: 0 }),
    usage: (b) =>
      geminiUsage(
        {
          // What Google's own tools put into the prompt is told beside it.
          promptTokenCount: b.cached + b.audioIn + b.imageIn,
          toolUsePromptTokenCount: b.text,
          cachedContentTokenCount: b.cached,
          promptTokensDetails: [
            { modality: 'TEXT', tokenCount: b.cached },
            { modality: 'AUDIO', tokenCount: b.audioIn },
            { modality: 'IMAGE', tokenCount: b.imageIn },
          ],
          candidatesTokenCount: b.said + b.audioOut + b.imageOut,
          candidatesTokensDetails: [
            { modality: 'AUDIO', tokenCount: b.audioOut },
            { modality: 'IMAGE', tokenCount: b.imageOut },
          ],
          thoughtsTokenCount: b.thought,
        },
        b.searches,
      ),
  },
  DashScope: {
    merged: (b) => ({ ...b, written1h: 0, imageOut: 0, searches: 0 }),
    usage: (b) =>
      dashscopeUsage({
        input_tokens: b.text + b.cached + b.written5m + b.audioIn + b.imageIn,
        output_tokens: b.said + b.thought + b.audioOut,
        prompt_tokens_details: { cached_tokens: b.cached, cache_creation_input_tokens: b.written5m },
        input_tokens_details: { text_tokens: b.text, image_tokens: b.imageIn, audio_tokens: b.audioIn },
        output_tokens_details: { reasoning_tokens: b.thought, audio_tokens: b.audioOut },
      }),
  },
  Cohere: {
    merged: (b) => ({ ...plain(b), cached: b.cached }),
    usage: (b) =>
      cohereUsage({
        billed_units: { input_tokens: b.text + b.cached, output_tokens: b.said },
        tokens: { input_tokens: b.text + b.cached + 500, output_tokens: b.said },
        cached_tokens: b.cached,
      }),
  },
  Ollama: { merged: plain, usage: (b) => ollamaUsage({ prompt_eval_count: b.text, eval_count: b.said }) },
};

const inClasses = (b: Billed): Usage => {
  const classes: Usage = {
    input: b.text,
    cachedInput: b.cached,
    cacheWrite5m: b.written5m,
    cacheWrite1h: b.written1h,
    audioInput: b.audioIn,
    imageInput: b.imageIn,
    output: b.said,
    reasoning: b.thought,
    audioOutput: b.audioOut,
    imageOutput: b.imageOut,
    toolUse: b.searches,
  };
  return Object.fromEntries(Object.entries(classes).filter(([, tokens]) => tokens > 0));
};

const sum = (usage: Usage, names: readonly (keyof Usage)[]): number => names.reduce((total, name) => total + (usage[name] ?? 0), 0);

describe('usage in every dialect', () => {
  for (const [name, { merged, usage }] of Object.entries(DIALECTS))
    it(`is read into classes that are what was billed, and sum to it: ${name}`, () => {
      check(
        fc.property(billed, (each) => {
          const meant = merged(each);
          const reading = readOpenAIUsage(usage(meant), 'chat');
          if (reading.kind !== 'reported') return expect.fail(JSON.stringify(reading));
          expect(reading.usage).to.deep.equal(inClasses(meant));
          expect(sum(reading.usage, PROMPT_CLASSES)).to.equal(reading.promptTokens);
          expect(sum(reading.usage, OUTPUT_CLASSES)).to.equal(reading.outputTokens);
        }),
        100,
      );
    });
});
