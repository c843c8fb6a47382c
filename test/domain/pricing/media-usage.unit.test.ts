import { expect } from 'chai';
import fc from 'fast-check';
import { readMediaUsage, sumOfReadings } from '../../../domain/pricing/media-usage.ts';
import { check } from '../../ledger/seed.ts';

const count = fc.integer({ min: 0, max: 1_000_000 });
const maybe = fc.option(count, { nil: undefined });

describe('usage of images and sound', () => {
  it('is divided by its details, which never add to it', () => {
    check(
      fc.property(count, count, maybe, maybe, maybe, maybe, (input, output, text, image, audio, written) => {
        const reading = readMediaUsage(
          {
            input_tokens: input,
            input_tokens_details: { text_tokens: text, image_tokens: image, audio_tokens: audio },
            output_tokens: output,
            output_tokens_details: { text_tokens: written },
          },
          'imageOutput',
        );
        if (reading.kind !== 'reported') {
          expect([reading.kind, input + output]).to.deep.equal(['absent', 0]);
          return;
        }
        const { usage } = reading;
        expect((usage.input ?? 0) + (usage.imageInput ?? 0) + (usage.audioInput ?? 0)).to.equal(input);
        expect((usage.output ?? 0) + (usage.imageOutput ?? 0)).to.equal(output);
      }),
    );
  });

  it('is what it is by default where no detail says more', () => {
    const usage = { input_tokens: 5, output_tokens: 7 };
    expect(readMediaUsage(usage, 'audioOutput')).to.deep.include({ usage: { input: 5, audioOutput: 7 } });
    expect(readMediaUsage(usage, 'output', 'audioInput')).to.deep.include({ usage: { audioInput: 5, output: 7 } });
    expect(readMediaUsage({ prompt_tokens: 5, total_tokens: 5 }, 'output')).to.deep.include({ usage: { input: 5 } });
  });

  it('is not believed where it cannot be, and not made up where there is none', () => {
    for (const wrong of [
      { input_tokens: -1 },
      { input_tokens: 1.5 },
      { input_tokens: 1, output_tokens: 'x' },
      { input_tokens: 1, input_tokens_details: { image_tokens: -1 } },
      'many',
      [],
    ])
      expect(readMediaUsage(wrong, 'output').kind, JSON.stringify(wrong)).to.equal('unbelievable');
    for (const none of [undefined, null, {}, { input_tokens: 0, output_tokens: 0 }])
      expect(readMediaUsage(none, 'output').kind, JSON.stringify(none)).to.equal('absent');
    check(fc.property(fc.anything(), (raw) => void readMediaUsage(raw, 'output')));
  });

  it('adds up over the pictures of one call', () => {
    const one = readMediaUsage({ input_tokens: 5, output_tokens: 7 }, 'imageOutput');
    expect(sumOfReadings([one, { kind: 'absent' }, one])).to.deep.include({ usage: { input: 10, imageOutput: 14 } });
    expect(sumOfReadings([]).kind).to.equal('absent');
    expect(sumOfReadings([one, { kind: 'unbelievable', why: 'x' }]).kind).to.equal('unbelievable');
  });
});
