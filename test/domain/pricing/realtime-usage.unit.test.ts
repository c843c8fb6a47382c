import { expect } from 'chai';
import * as fc from 'fast-check';
import { readRealtimeUsage } from '../../../domain/pricing/realtime-usage.ts';

const count = fc.nat({ max: 100_000 });

describe('the usage of a realtime response', () => {
  it('is divided by text, sound and what was cached of each', () => {
    expect(
      readRealtimeUsage({
        input_tokens: 120,
        output_tokens: 50,
        input_token_details: {
          text_tokens: 60,
          audio_tokens: 60,
          cached_tokens: 40,
          cached_tokens_details: { text_tokens: 30, audio_tokens: 10 },
        },
        output_token_details: { text_tokens: 20, audio_tokens: 30 },
      }),
    ).to.deep.equal({
      kind: 'reported',
      usage: { input: 30, cachedInput: 40, audioInput: 50, output: 20, audioOutput: 30 },
      promptTokens: 120,
      outputTokens: 50,
    });
  });

  it('takes what was cached out of text first where nothing says of what', () => {
    const reading = readRealtimeUsage({
      input_tokens: 100,
      output_tokens: 1,
      input_token_details: { audio_tokens: 70, cached_tokens: 50 },
    });
    expect(reading).to.deep.include({ usage: { cachedInput: 50, audioInput: 50, output: 1 } });
  });

  it('is absent where nothing is said, and not believed where it cannot be', () => {
    for (const nothing of [undefined, null, {}, { input_tokens: 0, output_tokens: 0 }])
      expect(readRealtimeUsage(nothing).kind).to.equal('absent');
    for (const wrong of [
      7,
      [],
      { input_tokens: -1 },
      { input_tokens: 1.5 },
      { input_tokens: 1, output_token_details: { audio_tokens: '3' } },
    ])
      expect(readRealtimeUsage(wrong).kind, JSON.stringify(wrong)).to.equal('unbelievable');
  });

  it('comes to what was reported, whatever the details say', () => {
    fc.assert(
      fc.property(count, count, fc.array(count, { minLength: 8, maxLength: 8 }), (input, output, [a, b, c, d, e, f, g, h]) => {
        const reading = readRealtimeUsage({
          input_tokens: input + 1,
          output_tokens: output,
          input_token_details: {
            audio_tokens: a,
            image_tokens: b,
            cached_tokens: c,
            cached_tokens_details: { audio_tokens: d, image_tokens: e },
          },
          output_token_details: { audio_tokens: f, text_tokens: g, reasoning_tokens: h },
        });
        if (reading.kind !== 'reported') throw new Error('not reported');
        const {
          input: text = 0,
          cachedInput = 0,
          audioInput = 0,
          imageInput = 0,
          output: written = 0,
          audioOutput = 0,
          reasoning = 0,
        } = reading.usage;
        expect(text + cachedInput + audioInput + imageInput).to.equal(input + 1);
        expect(written + audioOutput + reasoning).to.equal(output);
        expect(cachedInput).to.equal(Math.min(c ?? 0, input + 1));
        expect(Math.min(...Object.values(reading.usage))).to.be.greaterThan(0);
      }),
    );
  });
});
