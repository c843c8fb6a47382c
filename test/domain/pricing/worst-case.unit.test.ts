import { expect } from 'chai';
import fc from 'fast-check';
import { costOf } from '../../../domain/pricing/cost.ts';
import { affordableOutput, worstCase, type CallBound } from '../../../domain/pricing/worst-case.ts';
import type { Money } from '../../../schemas/money.ts';
import type { ModelPrice, Ratio } from '../../../schemas/price.ts';
import type { Usage } from '../../../schemas/usage.ts';
import { check } from '../../ledger/seed.ts';

const money = (amount: bigint | number): Money => BigInt(amount) as Money;
const ratio = (millionths: number): Ratio => millionths as Ratio;
const bound = (changes: Partial<CallBound> = {}): CallBound => ({
  promptTokens: 1_000,
  outputTokens: 500,
  audioInput: false,
  imageInput: false,
  audioOutput: false,
  imageOutput: false,
  toolUses: 0,
  ...changes,
});
const price: ModelPrice = {
  model: 'm',
  kind: 'chat',
  rates: { input: money(2_000_000), cachedInput: money(500_000), output: money(8_000_000) },
};

const rate = fc.bigInt(0n, 20_000_000_000n).map(money);
const anyPrice: fc.Arbitrary<ModelPrice> = fc
  .record({
    rates: fc.record({ input: rate, output: rate }),
    more: fc.dictionary(
      fc.constantFrom(
        'cachedInput',
        'cacheWrite5m',
        'cacheWrite1h',
        'reasoning',
        'audioInput',
        'audioOutput',
        'imageInput',
        'imageOutput',
        'call',
        'toolUse',
      ),
      rate,
    ),
    tiers: fc.uniqueArray(
      fc.record({ abovePromptTokens: fc.integer({ min: 1, max: 20_000 }), rates: fc.record({ input: rate, output: rate }) }),
      { maxLength: 3, selector: (tier) => tier.abovePromptTokens },
    ),
  })
  .map(({ rates, more, tiers }) => ({ model: 'm', kind: 'chat', rates: { ...more, ...rates }, tiers }));
const anyBound = fc.record({
  promptTokens: fc.integer({ min: 0, max: 40_000 }),
  outputTokens: fc.integer({ min: 0, max: 20_000 }),
  audioInput: fc.boolean(),
  imageInput: fc.boolean(),
  audioOutput: fc.boolean(),
  imageOutput: fc.boolean(),
  toolUses: fc.integer({ min: 0, max: 3 }),
});
const anyRatio = fc.integer({ min: 0, max: 3_000_000 }).map(ratio);

/** Usage that stays within a bound: its tokens dealt out over the classes that the bound allows. */
const usageWithin = (limits: CallBound): fc.Arbitrary<Usage> => {
  const inputs = [
    'input',
    'cachedInput',
    'cacheWrite5m',
    'cacheWrite1h',
    ...(limits.audioInput ? (['audioInput'] as const) : []),
    ...(limits.imageInput ? (['imageInput'] as const) : []),
  ] as const;
  const outputs = [
    'output',
    'reasoning',
    ...(limits.audioOutput ? (['audioOutput'] as const) : []),
    ...(limits.imageOutput ? (['imageOutput'] as const) : []),
  ] as const;
  const deal = (names: readonly string[], most: number) =>
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: names.length, maxLength: names.length }).map((shares) => {
      let left = most;
      return Object.fromEntries(
        names.map((name, index) => {
          const count = Math.floor(left * (shares[index] as number));
          left -= count;
          return [name, count];
        }),
      );
    });
  return fc
    .tuple(deal(inputs, limits.promptTokens), deal(outputs, limits.outputTokens), fc.integer({ min: 0, max: limits.toolUses }))
    .map(([input, output, toolUse]) => ({ ...input, ...output, call: 1, toolUse }));
};

describe('the worst case of a call', () => {
  it('is the prompt at the input price and the most output at the output price', () => {
    expect(worstCase(bound(), price, ratio(1_000_000))).to.equal(2_000n + 4_000n);
    expect(worstCase(bound(), price, ratio(500_000))).to.equal(3_000n);
  });

  it('counts pieces by the piece', () => {
    const pieces: ModelPrice = { ...price, rates: { call: money(5), second: money(7), image: money(11), character: money(13) } };
    expect(worstCase(bound(), pieces, ratio(1_000_000))).to.equal(5n);
    const most = bound({ calls: 2, seconds: 3, images: 4, characters: 5 });
    expect(worstCase(most, pieces, ratio(1_000_000))).to.equal(10n + 21n + 44n + 65n);
    expect(costOf({ call: 2, second: 3, image: 4, character: 5 }, pieces, ratio(1_000_000))).to.equal(140n);
  });

  it('takes the dearer of what tokens may turn out to be', () => {
    const dear: ModelPrice = {
      ...price,
      rates: { ...price.rates, cacheWrite1h: money(4_000_000), reasoning: money(9_000_000), audioInput: money(50_000_000) },
    };
    expect(worstCase(bound(), dear, ratio(1_000_000))).to.equal(4_000n + 4_500n);
    expect(worstCase(bound({ audioInput: true }), dear, ratio(1_000_000))).to.equal(50_000n + 4_500n);
  });

  it('is not exceeded by any usage within its bound', () => {
    check(
      fc.property(
        anyBound.chain((limits) => fc.tuple(fc.constant(limits), usageWithin(limits))),
        anyPrice,
        anyRatio,
        ([limits, usage], anyOf, share) => {
          expect(costOf(usage, anyOf, share) <= worstCase(limits, anyOf, share)).to.equal(true);
        },
      ),
    );
  });

  it('says how much output an amount buys: that much fits, one more does not', () => {
    check(
      fc.property(anyBound, anyPrice, anyRatio, fc.bigInt(0n, 2_000_000_000n).map(money), (limits, anyOf, share, amount) => {
        const output = affordableOutput(limits, anyOf, share, amount);
        expect(output <= limits.outputTokens).to.equal(true);
        const fits = (outputTokens: number): boolean => worstCase({ ...limits, outputTokens }, anyOf, share) <= amount;
        expect(fits(Math.max(0, output))).to.equal(output >= 0);
        if (output >= 0 && output < limits.outputTokens) expect(fits(output + 1)).to.equal(false);
      }),
    );
  });
});
