import { expect } from 'chai';
import fc from 'fast-check';
import { NOTHING_SPENT, spend, spentIn, unspend, type WindowedSpend } from '../../../domain/ledger/windowed-spend.ts';
import type { Money } from '../../../schemas/money.ts';
import { check } from '../../ledger/seed.ts';

const spendAll = (entries: readonly (readonly [day: string, amount: bigint])[]): WindowedSpend =>
  entries.reduce((spent, [day, amount]) => spend(spent, day, amount as Money), NOTHING_SPENT);

describe('spend by window', () => {
  it('counts a day in its day, its month and the total', () => {
    const spent = spendAll([
      ['2026-01-31', 5n],
      ['2026-02-01', 7n],
      ['2026-01-31', 1n],
    ]);
    expect(spentIn(spent, 'day', '2026-01-31')).to.equal(6n);
    expect(spentIn(spent, 'month', '2026-01-15')).to.equal(6n);
    expect(spentIn(spent, 'day', '2026-02-01')).to.equal(7n);
    expect(spentIn(spent, 'total', '2030-01-01')).to.equal(13n);
    expect(spentIn(spent, 'day', '2026-02-02')).to.equal(0n);
  });

  it('stays as it was for whoever holds an earlier one', () => {
    const before = spendAll([['2026-01-31', 5n]]);
    spend(before, '2026-01-31', 9n as Money);
    expect(spentIn(before, 'day', '2026-01-31')).to.equal(5n);
  });

  it('does not grow with the years', () => {
    const spent = spendAll(Array.from({ length: 1_000 }, (_, day) => [new Date(day * 86_400_000).toISOString().slice(0, 10), 1n] as const));
    expect(spent.days.size).to.be.at.most(8);
    expect(spent.months.size).to.be.at.most(8);
    expect(spent.total).to.equal(1_000n);
  });

  it('remembers what is spent under a clock that jumped back years', () => {
    const ahead = Array.from({ length: 10 }, (_, index) => [`2031-05-${String(index + 10)}`, 1n] as const);
    const spent = spendAll([...ahead, ['1970-01-01', 3n], ['2031-05-20', 1n], ['1970-01-01', 4n]]);
    expect(spentIn(spent, 'day', '1970-01-01')).to.equal(7n);
    expect(spentIn(spent, 'month', '1970-01-31')).to.equal(7n);
  });

  it('takes back on the day on which it was spent, whichever comes first', () => {
    const spent = spend(
      spendAll([
        ['2026-01-31', 5n],
        ['2026-02-01', 7n],
      ]),
      '2026-02-01',
      1n as Money,
    );
    const less = unspend(spent, '2026-01-31', 2n as Money, false);
    expect([spentIn(less, 'day', '2026-01-31'), spentIn(less, 'month', '2026-01-01'), less.total]).to.deep.equal([3n, 3n, 11n]);
    expect(spentIn(less, 'month', '2026-02-01')).to.equal(8n);
    const ahead = unspend(NOTHING_SPENT, '2026-01-31', 2n as Money, true);
    expect(spentIn(spend(ahead, '2026-01-31', 5n as Money), 'day', '2026-01-31')).to.equal(3n);
  });

  it('takes nothing from windows that are not kept any more, so that none of those in use is lost for them', () => {
    const spent = spendAll(Array.from({ length: 20 }, (_, index) => [`2026-01-${String(index + 10)}`, 1n] as const));
    const less = unspend(spent, '2026-01-10', 1n as Money, false);
    expect([...less.days]).to.deep.equal([...spent.days]);
    expect(less.total).to.equal(19n);
  });

  it('is exact for the windows in use, whatever the order of days', () => {
    const day = fc.integer({ min: 1, max: 6 }).map((number) => `2026-03-0${number}`);
    check(
      fc.property(fc.array(fc.tuple(day, fc.bigInt(0n, 1_000n)), { maxLength: 60 }), (entries) => {
        const spent = spendAll(entries);
        for (const [asked] of entries) {
          const expected = entries.filter(([other]) => other === asked).reduce((sum, [, amount]) => sum + amount, 0n);
          expect(spentIn(spent, 'day', asked)).to.equal(expected);
        }
      }),
    );
  });
});
