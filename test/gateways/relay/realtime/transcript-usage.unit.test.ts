import { expect } from 'chai';
import { transcriptReading } from '../../../../gateways/relay/realtime/transcript-usage.ts';
import type { Money } from '../../../../schemas/money.ts';
import type { ModelPrice } from '../../../../schemas/price.ts';

describe('what a transcript used', () => {
  const price = (...classes: readonly (keyof ModelPrice['rates'])[]): ModelPrice => ({
    model: 'writer',
    kind: 'other',
    rates: Object.fromEntries(classes.map((name) => [name, 1_000n as Money])),
  });
  const TOKENS = {
    type: 'tokens',
    total_tokens: 22,
    input_tokens: 20,
    output_tokens: 2,
    input_token_details: { audio_tokens: 20, text_tokens: 0 },
  };

  it('is in seconds where the price has a rate for them', () => {
    const reading = transcriptReading({ type: 'duration', seconds: 2.1 }, price('second'), 0);
    expect(reading).to.deep.equal({ kind: 'reported', usage: { second: 3 }, promptTokens: 0, outputTokens: 0 });
    expect(transcriptReading({ type: 'duration', seconds: 2.1 }, price('second', 'audioInput'), 0)).to.deep.equal(reading);
  });

  it('is in tokens of sound, ten of them a second, where it has none', () => {
    const reading = transcriptReading({ type: 'duration', seconds: 2.1 }, price('audioInput', 'output'), 0);
    expect(reading).to.deep.equal({ kind: 'reported', usage: { audioInput: 30 }, promptTokens: 30, outputTokens: 0 });
  });

  it('is in seconds by the tokens of sound, told or reckoned, where there is a rate for seconds only', () => {
    expect(transcriptReading(TOKENS, price('second'), 99)).to.deep.include({ usage: { second: 2 } });
    expect(transcriptReading(undefined, price('second'), 31)).to.deep.include({ usage: { second: 4 } });
    expect(transcriptReading(undefined, price('audioInput'), 31)).to.deep.equal({ kind: 'absent' });
  });

  it('is not believed where it is no length', () => {
    for (const seconds of [-1, Infinity, Number.NaN, '3', null])
      expect(transcriptReading({ type: 'duration', seconds }, price('second'), 10).kind, String(seconds)).to.equal('unbelievable');
  });
});
