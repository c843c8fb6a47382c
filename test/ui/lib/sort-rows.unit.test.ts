import { expect } from 'chai';
import fc from 'fast-check';
import { nextSorting, sortRows } from '../../../ui/src/lib/sort-rows.ts';

describe('sorting a list', () => {
  it('puts names in the order that people expect, and amounts without rounding', () => {
    expect(sortRows(['key-10', 'Key-9', 'abc'], (name) => name, false)).to.deep.equal(['abc', 'Key-9', 'key-10']);
    expect(sortRows([9_007_199_254_740_993n, 9_007_199_254_740_992n], (amount) => amount, false)).to.deep.equal([
      9_007_199_254_740_992n,
      9_007_199_254_740_993n,
    ]);
    expect(sortRows([3, null, 1], (value) => value, false)).to.deep.equal([null, 1, 3]);
  });

  it('leaves rows that are equal in their order, both ways', () => {
    const rows = fc
      .array(fc.record({ key: fc.integer({ min: 0, max: 3 }), place: fc.nat() }), { maxLength: 30 })
      .map((list) => list.map((row, place) => ({ ...row, place })));
    fc.assert(
      fc.property(rows, fc.boolean(), (list, descending) => {
        const sorted = sortRows(list, (row) => row.key, descending);
        for (let index = 1; index < sorted.length; index += 1) {
          const [before, after] = [sorted[index - 1]!, sorted[index]!];
          expect(descending ? before.key >= after.key : before.key <= after.key).to.equal(true);
          if (before.key === after.key) expect(before.place).to.be.below(after.place);
        }
      }),
    );
  });

  it('goes up, down, and back to how it came', () => {
    const up = nextSorting(null, 'name');
    expect(up).to.deep.equal({ column: 'name', descending: false });
    const down = nextSorting(up, 'name');
    expect(down).to.deep.equal({ column: 'name', descending: true });
    expect(nextSorting(down, 'name')).to.equal(null);
    expect(nextSorting(down, 'spent')).to.deep.equal({ column: 'spent', descending: false });
  });
});
