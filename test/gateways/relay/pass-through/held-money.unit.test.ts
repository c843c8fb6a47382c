import { expect } from 'chai';
import type { UsageReading } from '../../../../domain/pricing/openai-usage.ts';
import { measure, type HeldMoney } from '../../../../gateways/relay/pass-through/held-money.ts';
import type { Money } from '../../../../schemas/money.ts';
import type { ModelPrice, Ratio } from '../../../../schemas/price.ts';

const HALF = 500_000 as Ratio;

describe('what a passed call came to', () => {
  const held = (rates: Readonly<Record<string, bigint>>, byUsage: boolean, groupRatio = 1_000_000): HeldMoney =>
    ({
      hold: { amount: 900_000n as Money },
      price: { price: { model: 'm', kind: 'chat', rates } as unknown as ModelPrice, groupRatio, byUsage },
      claim: null,
    }) as unknown as HeldMoney;
  const reported = (input: number, output: number): UsageReading => ({
    ...{ kind: 'reported', usage: { input, output } },
    ...{ promptTokens: input, outputTokens: output },
  });
  const RATES = { input: 1_000_000_000n, output: 2_000_000_000n };

  it('is what its answer says that it used, for us and for the wallet', () => {
    expect(measure(held(RATES, true), HALF, reported(10, 5))).to.deep.equal({
      ...{ usage: { input: 10, output: 5 }, basis: 'reported' },
      ...{ computed: 20_000n, upstreamCost: 10_000n },
    });
  });

  it('has the rate for the call beside it, or alone where it is charged by the call', () => {
    expect(measure(held({ ...RATES, call: 7n }, true), HALF, reported(10, 5)).usage).to.deep.equal({ input: 10, output: 5, call: 1 });
    const byCall = measure(held({ call: 8n }, false), HALF, { kind: 'absent' });
    expect(byCall).to.deep.include({ usage: { call: 1 }, basis: 'reported' });
  });

  it('is the hold where the answer does not say, or says what cannot be', () => {
    const whole = { usage: {}, basis: 'held', computed: 900_000n, upstreamCost: 450_000n };
    expect(measure(held(RATES, true), HALF, { kind: 'absent' })).to.deep.equal(whole);
    expect(measure(held(RATES, true), HALF, { kind: 'unbelievable', why: 'negative' })).to.deep.equal(whole);
    expect(measure(held(RATES, true), HALF, reported(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))).to.deep.equal(whole);
  });

  it('costs nothing upstream where the group pays nothing', () => {
    expect(measure(held(RATES, true, 0), HALF, { kind: 'absent' }).upstreamCost).to.equal(0n);
  });
});
