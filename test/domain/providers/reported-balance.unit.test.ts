import { expect } from 'chai';
import fc from 'fast-check';
import { balanceQuestion, isLess } from '../../../domain/providers/reported-balance.ts';
import { providerOf } from '../../../domain/providers/providers.ts';
import { check } from '../../ledger/seed.ts';

/** Answers as the providers' own documents have them. */
const TOLD: readonly (readonly [provider: string, answers: readonly unknown[], told: object | null])[] = [
  [
    'deepseek',
    [
      {
        is_available: true,
        balance_infos: [{ currency: 'CNY', total_balance: '110.00', granted_balance: '10.00', topped_up_balance: '100.00' }],
      },
    ],
    { currency: 'CNY', amount: '110.00' },
  ],
  [
    'moonshot-cn',
    [{ code: 0, data: { available_balance: 49.58894, voucher_balance: 46.58893, cash_balance: 3.00001 } }],
    { currency: 'CNY', amount: '49.58894' },
  ],
  ['moonshot-intl', [{ code: 0, data: { available_balance: -0.5 } }], { currency: 'USD', amount: '-0.5' }],
  ['openrouter', [{ data: { total_credits: 100.5, total_usage: 25.75 } }], { currency: 'USD', amount: '74.75' }],
  ['siliconflow-cn', [{ code: 20000, data: { balance: '0.88', totalBalance: '88.88' } }], { currency: 'CNY', amount: '88.88' }],
  ['siliconflow-intl', [{ code: 20000, data: { balance: '0.88' } }], { currency: 'USD', amount: '0.88' }],
  [
    'openai-compatible',
    [
      { object: 'billing_subscription', hard_limit_usd: 20 },
      { object: 'list', total_usage: 250 },
    ],
    { currency: 'USD', amount: '17.5' },
  ],
  ['deepseek', [{ balance_infos: [] }], null],
  ['deepseek', ['no'], null],
  ['openrouter', [{ data: { total_credits: '100' } }], null],
  ['moonshot-cn', [{ data: { available_balance: 'plenty' } }], null],
  ['openai-compatible', [{ hard_limit_usd: 20 }, null], null],
];

describe('what a provider tells of a balance', () => {
  for (const [provider, answers, told] of TOLD)
    it(`is read from ${provider}: ${JSON.stringify(told)}`, () => {
      expect(providerOf(provider), 'a row').not.to.equal(undefined);
      expect(balanceQuestion(provider)?.read(answers)).to.deep.equal(told);
    });

  it('is nothing where there is no address for it', () => {
    expect(balanceQuestion('anthropic')).to.equal(null);
  });
});

describe('two amounts', () => {
  it('are compared by their values, whatever their digits', () => {
    const amount = fc.tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.integer({ min: 0, max: 4 }));
    const text = (millionths: number, zeros: number): string =>
      `${millionths < 0 ? '-' : ''}${Math.floor(Math.abs(millionths) / 1_000)}.${String(Math.abs(millionths) % 1_000).padStart(3, '0')}${'0'.repeat(zeros)}`;
    check(fc.property(amount, amount, ([one, a], [other, b]) => isLess(text(one, a), text(other, b)) === one < other));
    expect([isLess('0', '0.000000000001'), isLess('-0', '0'), isLess('5', '5.0'), isLess('9', '10')]).to.deep.equal([
      true,
      false,
      false,
      true,
    ]);
  });
});
