import { expect } from 'chai';
import { QUICK } from '../chaos/faults/cells.ts';
import { runCell } from '../chaos/faults/run-cell.ts';
import { SEED } from './seed.ts';

describe('a few of the fault matrix', function () {
  this.timeout(240_000);

  for (const cell of QUICK) {
    it(`${cell.target}, ${cell.fault}: every completed answer is charged once, no hold is left, read models equal a rebuild`, async () => {
      const outcome = await runCell(cell, SEED);
      expect(outcome.violations).to.deep.equal([]);
      expect(outcome.leftOut).to.equal(undefined);
      expect(outcome.complete).to.be.greaterThan(20);
    });
  }
});
