import { expect } from 'chai';
import fc from 'fast-check';
import { readOpenAIUsage } from '../../../domain/pricing/openai-usage.ts';
import { OUTPUT_CLASSES, PROMPT_CLASSES } from '../../../domain/pricing/rates.ts';
import type { Usage } from '../../../schemas/usage.ts';
import { check } from '../../ledger/seed.ts';

const usageOf = (raw: unknown): Usage => {
  const reading = readOpenAIUsage(raw, 'chat');
  return reading.kind === 'reported' ? reading.usage : expect.fail(`not reported: ${JSON.stringify(reading)}`);
};
const kindOf = (raw: unknown, endpoint: 'chat' | 'embeddings' = 'chat'): string => readOpenAIUsage(raw, endpoint).kind;
const sum = (usage: Usage, names: readonly (keyof Usage)[]): number => names.reduce((total, name) => total + (usage[name] ?? 0), 0);

describe('usage in the OpenAI format', () => {
  it('takes details out of their totals', () => {
    const raw = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10, audio_tokens: 5, image_tokens: 3 },
      completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 4, accepted_prediction_tokens: 2, rejected_prediction_tokens: 3 },
    };
    expect(usageOf(raw)).to.deep.equal({
      cachedInput: 40,
      cacheWrite5m: 10,
      audioInput: 5,
      imageInput: 3,
      input: 42,
      reasoning: 20,
      audioOutput: 4,
      output: 26,
    });
  });

  it('knows other makers’ words for cached input', () => {
    expect(usageOf({ prompt_tokens: 10, completion_tokens: 1, prompt_cache_hit_tokens: 6, prompt_cache_miss_tokens: 4 })).to.deep.equal({
      cachedInput: 6,
      input: 4,
      output: 1,
    });
    expect(usageOf({ prompt_tokens: 10, completion_tokens: 1, cached_tokens: 6 })).to.deep.equal({ cachedInput: 6, input: 4, output: 1 });
    expect(usageOf({ prompt_tokens: 10, completion_tokens: 1, num_cached_tokens: 6 })).to.deep.equal({
      cachedInput: 6,
      input: 4,
      output: 1,
    });
    expect(usageOf({ prompt_tokens: 10, completion_tokens: 1, prompt_token_details: { cached_tokens: 6 } })).to.deep.equal({
      cachedInput: 6,
      input: 4,
      output: 1,
    });
    expect(usageOf({ prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cache_creation_input_tokens: 6 } })).to.deep.equal({
      cacheWrite5m: 6,
      input: 4,
      output: 1,
    });
  });

  it('adds what was cached where an upstream left it out of its prompt tokens', () => {
    const raw = { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 30 } };
    const thinking = { completion_tokens_details: { reasoning_tokens: 20 } };
    expect(usageOf({ ...raw, total_tokens: 45 })).to.deep.equal({ cachedInput: 30, input: 10, output: 5 });
    expect(usageOf({ ...raw, total_tokens: 65, ...thinking })).to.deep.equal({ cachedInput: 30, input: 10, reasoning: 20, output: 5 });
    expect(usageOf({ ...raw, total_tokens: 35, ...thinking })).to.deep.equal({ cachedInput: 10, reasoning: 20, output: 5 });
    expect(usageOf({ ...raw, total_tokens: 15 })).to.deep.equal({ cachedInput: 10, output: 5 });
  });

  it('takes the total of embeddings for their prompt where nothing else is told', () => {
    expect(readOpenAIUsage({ total_tokens: 12 }, 'embeddings')).to.deep.equal({
      kind: 'reported',
      usage: { input: 12 },
      promptTokens: 12,
      outputTokens: 0,
    });
    expect(kindOf({ total_tokens: 12 }, 'chat')).to.equal('absent');
  });

  it('adds reasoning that an upstream left out of its completion tokens', () => {
    expect(
      usageOf({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 35, completion_tokens_details: { reasoning_tokens: 20 } }),
    ).to.deep.equal({ input: 10, reasoning: 20, output: 5 });
    expect(
      usageOf({ prompt_tokens: 10, completion_tokens: 25, total_tokens: 35, completion_tokens_details: { reasoning_tokens: 20 } }),
    ).to.deep.equal({ input: 10, reasoning: 20, output: 5 });
  });

  it('never lets details exceed their total', () => {
    expect(
      usageOf({
        prompt_tokens: 10,
        completion_tokens: 4,
        prompt_tokens_details: { cached_tokens: 25, audio_tokens: 9 },
        completion_tokens_details: { reasoning_tokens: 7 },
      }),
    ).to.deep.equal({ cachedInput: 10, reasoning: 4 });
  });

  it('finds nothing to charge by where nothing was counted', () => {
    for (const raw of [
      undefined,
      null,
      {},
      { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      { prompt_tokens: null },
      { prompt_tokens: 7 },
      { prompt_tokens: 7, total_tokens: 7 },
    ]) {
      expect(kindOf(raw), JSON.stringify(raw)).to.equal('absent');
    }
    expect(usageOf({ prompt_tokens: 7, total_tokens: 9 })).to.deep.equal({ input: 7, output: 2 });
    expect(kindOf({ prompt_tokens: 7, total_tokens: 7 }, 'embeddings')).to.equal('reported');
  });

  it('does not believe what cannot be', () => {
    const wrong = [
      'usage',
      12,
      [1, 2],
      { prompt_tokens: '10', completion_tokens: 5 },
      { prompt_tokens: 10, completion_tokens: -1 },
      { prompt_tokens: 10.5, completion_tokens: 1 },
      { prompt_tokens: 1e300, completion_tokens: 1 },
      { prompt_tokens: 10, completion_tokens: {} },
      { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: -3 } },
      { prompt_tokens: Number.MAX_SAFE_INTEGER, completion_tokens: Number.MAX_SAFE_INTEGER },
    ];
    for (const raw of wrong) expect(kindOf(raw), JSON.stringify(raw)).to.equal('unbelievable');
  });

  it('puts no token in two classes, and classes sum to what was reported', () => {
    const count = fc.integer({ min: 0, max: 1_000_000 });
    const maybe = fc.option(count, { nil: undefined });
    check(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        count,
        maybe,
        maybe,
        maybe,
        maybe,
        maybe,
        maybe,
        (prompt, completion, cached, written, audioIn, reasoning, audioOut, imageOut) => {
          const reading = readOpenAIUsage(
            {
              prompt_tokens: prompt,
              completion_tokens: completion,
              total_tokens: prompt + completion,
              prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written, audio_tokens: audioIn },
              completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: audioOut, image_tokens: imageOut },
            },
            'chat',
          );
          if (reading.kind !== 'reported') return expect.fail(reading.kind);
          expect(sum(reading.usage, PROMPT_CLASSES)).to.equal(prompt);
          // Reasoning that the total shows to be extra is added, and only then.
          expect(sum(reading.usage, OUTPUT_CLASSES)).to.equal(completion);
          expect(reading).to.include({ promptTokens: prompt, outputTokens: completion });
          for (const value of Object.values(reading.usage)) expect(value).to.be.greaterThan(0);
        },
      ),
    );
  });

  it('throws at nothing', () => {
    check(fc.property(fc.anything(), (raw) => void readOpenAIUsage(raw, 'chat')));
    check(
      fc.property(
        fc.record(
          { prompt_tokens: fc.anything(), completion_tokens: fc.anything(), prompt_tokens_details: fc.anything() },
          { requiredKeys: [] },
        ),
        (raw) => {
          const reading = readOpenAIUsage(raw, 'chat');
          if (reading.kind === 'reported')
            for (const value of Object.values(reading.usage)) expect(Number.isSafeInteger(value) && value >= 0).to.equal(true);
        },
      ),
    );
  });
});
