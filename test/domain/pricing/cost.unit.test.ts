import { expect } from 'chai';
import fc from 'fast-check';
import { COST_DENOMINATOR, costOf, exactCost, promptTokensOf } from '../../../domain/pricing/cost.ts';
import { ratesFor } from '../../../domain/pricing/rates.ts';
import type { Money } from '../../../schemas/money.ts';
import { RATIO_ONE, type ModelPrice, type Ratio } from '../../../schemas/price.ts';
import { TOKEN_CLASSES, USAGE_CLASSES } from '../../../schemas/usage.ts';
import { check } from '../../ledger/seed.ts';

const money = (amount: bigint | number): Money => BigInt(amount) as Money;
const price = (rates: ModelPrice['rates'], more: Partial<ModelPrice> = {}): ModelPrice => ({ model: 'm', kind: 'chat', rates, ...more });

const anyRates = fc.dictionary(fc.constantFrom(...USAGE_CLASSES), fc.bigInt(0n, 1_000_000_000_000n).map(money), {
  maxKeys: USAGE_CLASSES.length,
});
const anyUsage = fc.dictionary(fc.constantFrom(...USAGE_CLASSES), fc.integer({ min: 0, max: 10_000_000 }), {
  maxKeys: USAGE_CLASSES.length,
});
const anyRatio = fc.integer({ min: 0, max: 5_000_000 }).map((ratio) => ratio as Ratio);

describe('cost', () => {
  it('charges tokens by class at the price per million', () => {
    const rates = { input: money(2_500_000_000), cachedInput: money(1_250_000_000), output: money(10_000_000_000) };
    // 1 000 × 2.5 + 2 000 × 1.25 + 300 × 10 dollars per million = 0.008 dollars
    expect(costOf({ input: 1_000, cachedInput: 2_000, output: 300 }, price(rates), RATIO_ONE)).to.equal(8_000_000n);
  });

  it('charges pieces by the piece', () => {
    expect(costOf({ call: 1, toolUse: 3, image: 2 }, price({ call: money(5), toolUse: money(7), image: money(11) }), RATIO_ONE)).to.equal(
      48n,
    );
  });

  it('rounds up, once: two parts of less than a nano-dollar are one nano-dollar together', () => {
    const cheap = price({ input: money(400_000), output: money(400_000) });
    expect(costOf({ input: 1 }, cheap, RATIO_ONE)).to.equal(1n);
    expect(costOf({ input: 1, output: 1 }, cheap, RATIO_ONE)).to.equal(1n);
    expect(costOf({ input: 2, output: 1 }, cheap, RATIO_ONE)).to.equal(2n);
  });

  it('is nothing for nothing, and for a ratio of nothing', () => {
    const rates = { input: money(1), output: money(1) };
    expect(costOf({}, price(rates), RATIO_ONE)).to.equal(0n);
    expect(costOf({ input: 1_000_000 }, price(rates), 0 as Ratio)).to.equal(0n);
  });

  it('takes the rates of the tier that the whole prompt reaches', () => {
    const tiered = price(
      { input: money(1_000_000), cachedInput: money(100_000), output: money(2_000_000) },
      {
        tiers: [
          { abovePromptTokens: 1_000, rates: { input: money(3_000_000), output: money(4_000_000) } },
          { abovePromptTokens: 10_000, rates: { input: money(5_000_000) } },
        ],
      },
    );
    expect(costOf({ input: 1_000 }, tiered, RATIO_ONE)).to.equal(1_000n);
    expect(costOf({ input: 1_001 }, tiered, RATIO_ONE)).to.equal(3_003n);
    // The cached part counts towards the threshold and keeps the rate that no tier replaces.
    expect(costOf({ input: 1, cachedInput: 1_000, output: 10 }, tiered, RATIO_ONE)).to.equal(3n + 100n + 40n);
    expect(costOf({ input: 10_001 }, tiered, RATIO_ONE)).to.equal(50_005n);
  });

  it('never makes a class free by forgetting it', () => {
    const rates = ratesFor(price({ input: money(3), output: money(5) }), 0);
    for (const name of ['cachedInput', 'cacheWrite5m', 'cacheWrite1h', 'audioInput', 'imageInput'] as const)
      expect(rates[name]).to.equal(3n);
    for (const name of ['reasoning', 'audioOutput', 'imageOutput'] as const) expect(rates[name]).to.equal(5n);
    expect(ratesFor(price({ input: money(3), cacheWrite5m: money(4) }), 0).cacheWrite1h).to.equal(4n);
  });

  it('comes to the same whole or by its parts', () => {
    check(
      fc.property(anyUsage, anyRates, anyRatio, (usage, rates, ratio) => {
        const rateTable = ratesFor(price(rates), promptTokensOf(usage));
        let parts = 0n;
        for (const [name, count] of Object.entries(usage)) parts += exactCost({ [name]: count }, rateTable) * BigInt(ratio);
        const whole = exactCost(usage, rateTable) * BigInt(ratio);
        expect(parts).to.equal(whole);
        const charged = costOf(usage, price(rates), ratio);
        // Up, and by less than one nano-dollar.
        expect(charged * COST_DENOMINATOR >= whole).to.equal(true);
        expect((charged - 1n) * COST_DENOMINATOR < whole || whole === 0n).to.equal(true);
      }),
    );
  });

  it('splits a class without a trace, as long as the charge is one', () => {
    check(
      fc.property(
        fc.constantFrom(...TOKEN_CLASSES),
        fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 8 }),
        anyRates,
        (name, counts, rates) => {
          const table = ratesFor(price(rates), 0);
          const total = counts.reduce((sum, count) => sum + count, 0);
          const parts = counts.reduce((sum, count) => sum + exactCost({ [name]: count }, table), 0n);
          expect(parts).to.equal(exactCost({ [name]: total }, table));
        },
      ),
    );
  });

  it('never grows smaller with more of anything', () => {
    check(
      fc.property(
        anyUsage,
        anyRates,
        anyRatio,
        fc.constantFrom(...USAGE_CLASSES),
        fc.integer({ min: 0, max: 1_000_000 }),
        (usage, rates, ratio, name, more) => {
          expect(
            costOf({ ...usage, [name]: (usage[name] ?? 0) + more }, price(rates), ratio) >= costOf(usage, price(rates), ratio),
          ).to.equal(true);
        },
      ),
    );
  });
});
