import { expect } from 'chai';
import fc from 'fast-check';
import { dollars, fromDollarText, toDollarText, toQuota } from '../../../domain/ledger/money.ts';
import { AmountText, LARGEST_AMOUNT, MoneyText, type Money } from '../../../schemas/money.ts';
import { check } from '../../ledger/seed.ts';

const money = fc.bigInt({ min: -LARGEST_AMOUNT, max: LARGEST_AMOUNT }).map((value) => value as Money);

describe('money', () => {
  it('is written as dollars without loss and without trailing zeros', () => {
    expect(toDollarText(0n as Money)).to.equal('0');
    expect(toDollarText(1n as Money)).to.equal('0.000000001');
    expect(toDollarText(1_500_000n as Money)).to.equal('0.0015');
    expect(toDollarText(-2_050_000_000n as Money)).to.equal('-2.05');
    expect(toDollarText(dollars(10))).to.equal('10');
    expect(toDollarText(LARGEST_AMOUNT as Money)).to.equal('9223372036.854775807');
  });

  it('is read back from what it was written as', () =>
    check(
      fc.property(money, (amount) => {
        expect(fromDollarText(toDollarText(amount))).to.equal(amount);
      }),
    ));

  for (const text of [
    '',
    '.',
    '1.',
    '.5',
    '1e3',
    '0x10',
    '1,5',
    '1.0000000001',
    '+1',
    '--1',
    '1 000',
    'NaN',
    'Infinity',
    '12345678901',
    '١',
  ]) {
    it(`does not read ${JSON.stringify(text)}`, () => expect(fromDollarText(text)).to.equal(null));
  }

  it('does not read more than an account can hold', () => {
    expect(fromDollarText('9223372036.854775807')).to.equal(LARGEST_AMOUNT);
    expect(fromDollarText('9223372036.854775808')).to.equal(null);
    expect(fromDollarText('-9999999999')).to.equal(null);
  });

  it('shows 500 000 quota to the dollar, rounded towards zero', () => {
    expect(toQuota(dollars(1))).to.equal(500_000n);
    expect(toQuota(1_999n as Money)).to.equal(0n);
    expect(toQuota(2_000n as Money)).to.equal(1n);
    expect(toQuota(-1_999n as Money)).to.equal(0n);
  });

  it('is a decimal string in events, and nothing else is', () => {
    for (const wrong of ['1.0', '01', '+1', '1e3', ' 1', '-0', '', '9223372036854775808', 1, 1n, null]) {
      expect(MoneyText.safeDecode(wrong as string).success, String(wrong)).to.equal(false);
    }
    expect(AmountText.safeDecode('-1').success).to.equal(false);
    expect(AmountText.safeEncode(-1n as Money).success).to.equal(false);
    expect(MoneyText.safeEncode((LARGEST_AMOUNT + 1n) as Money).success).to.equal(false);
    expect(MoneyText.safeEncode(1 as unknown as Money).success).to.equal(false);
  });

  it('survives its trip through an event', () =>
    check(
      fc.property(money, (amount) => {
        expect(MoneyText.decode(MoneyText.encode(amount))).to.equal(amount);
      }),
    ));
});
