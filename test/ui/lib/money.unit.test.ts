import { expect } from 'chai';
import fc from 'fast-check';
import {
  addMoney,
  compareMoney,
  formatExactNano,
  formatMoney,
  formatMoneyExact,
  moneyParts,
  parseDollars,
  shareOf,
  toDecimal,
  toDollarsField,
  toPlotDollars,
  toQuota,
} from '../../../ui/src/lib/money.ts';

const LARGEST = 9_223_372_036_854_775_807n;
const nano = fc.bigInt({ min: -LARGEST, max: LARGEST });

describe('money in the console', () => {
  it('writes nano-dollars as exact decimals', () => {
    expect(toDecimal('0')).to.equal('0');
    expect(toDecimal('1')).to.equal('0.000000001');
    expect(toDecimal('-12000000001')).to.equal('-12.000000001');
    expect(toDecimal('1500000000')).to.equal('1.5');
    expect(toDecimal(LARGEST.toString())).to.equal('9223372036.854775807');
  });

  it('shows figures with two decimals, and compact from ten thousand dollars', () => {
    expect(formatMoney('781940312450', 'en')).to.equal('$781.94');
    expect(formatMoney('9999994999999', 'en')).to.equal('$9,999.99');
    expect(formatMoney('10000000000000', 'en')).to.equal('$10K');
    expect(formatMoney('12345000000000', 'en')).to.equal('$12.3K');
    expect(formatMoney('-4500000000', 'en')).to.equal('-$4.50');
    expect(formatMoney('12345000000000', 'zh-CN')).to.equal('$1.2万');
  });

  it('never shows an amount as nothing that is something', () => {
    expect(formatMoney('0', 'en')).to.equal('$0.00');
    expect(formatMoney('9095000', 'en')).to.equal('$0.0091');
    expect(formatMoney('125', 'en')).to.equal('$0.00000013');
    expect(formatMoney('1', 'en')).to.equal('$0.000000001');
    fc.assert(fc.property(fc.bigInt({ min: 1n, max: LARGEST }), (amount) => /[1-9]/.test(formatMoney(amount.toString(), 'en'))));
  });

  it('never shows more than may be spent', () => {
    expect(formatMoney('4999947180', 'en')).to.equal('$5.00');
    expect(formatMoney('4999947180', 'en', 'down')).to.equal('$4.99');
    expect(formatMoney('9999999999999', 'en', 'down')).to.equal('$9,999.99');
    expect(formatMoney('9990000', 'en', 'down')).to.equal('$0.0099');
    expect(formatMoney('19990000000000', 'en', 'down')).to.equal('$19.9K');
  });

  it('shows every digit where an amount is to be exact', () => {
    expect(formatMoneyExact('5091500', 'en')).to.equal('$0.0050915');
    expect(formatMoneyExact('9223372036854775807', 'en')).to.equal('$9,223,372,036.854775807');
    expect(formatMoneyExact('1000000000', 'en')).to.equal('$1.00');
    expect(formatMoneyExact('9223372036854775807', 'de')).to.equal('9.223.372.036,854775807\u00A0$');
  });

  it('loses nothing: the exact text read back is the amount', () => {
    fc.assert(
      fc.property(
        nano,
        (amount) =>
          BigInt(
            formatMoneyExact(amount.toString(), 'en')
              .replace(/[$,]/g, '')
              .replace(/\.(\d*)$/, (_, rest: string) => rest.padEnd(9, '0')),
          ) === amount,
      ),
    );
  });

  it('splits amounts so that a column lines up on the point', () => {
    expect(moneyParts('5091500', 'en')).to.deep.equal({ negative: false, main: '$0.00', fine: '50915', missing: 2 });
    expect(moneyParts('-1234500000000', 'en')).to.deep.equal({ negative: true, main: '$1,234.50', fine: '', missing: 7 });
    fc.assert(
      fc.property(nano, (amount) => {
        const parts = moneyParts(amount.toString(), 'en');
        return parts.fine.length + parts.missing === 7 && parts.negative === amount < 0n;
      }),
    );
  });

  it('counts quota at 500 000 a dollar', () => {
    expect(toQuota('1000000000')).to.equal(500_000n);
    expect(toQuota('1999')).to.equal(0n);
  });

  it('reads what people type, and nothing that is no amount', () => {
    expect(parseDollars('12')).to.equal('12000000000');
    expect(parseDollars(' $1,200.50 ')).to.equal('1200500000000');
    expect(parseDollars('0,05')).to.equal('50000000');
    expect(parseDollars('0.000000001')).to.equal('1');
    expect(parseDollars('1 000')).to.equal('1000000000000');
    for (const wrong of ['', 'abc', '-5', '1.2.3', '0.0000000001', '1e3', '9999999999999', '9223372036.854775808'])
      expect(parseDollars(wrong), wrong).to.equal(null);
  });

  it('puts into a field what it reads back from it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: LARGEST }), (amount) => parseDollars(toDollarsField(amount.toString())) === amount.toString()),
    );
  });

  it('adds and compares without a float', () => {
    expect(addMoney(['9007199254740993', '1', '-2'])).to.equal('9007199254740992');
    expect(addMoney([])).to.equal('0');
    expect(compareMoney('9007199254740993', '9007199254740992')).to.equal(1);
    expect(compareMoney('5', '5')).to.equal(0);
  });

  it('bounds a bar between empty and full', () => {
    expect(shareOf('50', '200')).to.equal(0.25);
    expect(shareOf('300', '200')).to.equal(1);
    expect(shareOf('1', '0')).to.equal(0);
    expect(shareOf('-5', '10')).to.equal(0);
    expect(toPlotDollars('2500000000')).to.equal(2.5);
  });

  it('shows the unrounded steps of a computation', () => {
    expect(formatExactNano('5091500.5', 'en')).to.equal('$0.0050915005');
    expect(formatExactNano('0', 'en')).to.equal('$0.00');
    expect(formatExactNano('0.000001', 'en')).to.equal('$0.000000000000001');
    expect(formatExactNano('1234567890123', 'en')).to.equal('$1,234.567890123');
  });
});
