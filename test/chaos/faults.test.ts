import { expect } from 'chai';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { CELLS } from './faults/cells.ts';
import { faultReport } from './faults/report.ts';
import { runCell, type CellOutcome } from './faults/run-cell.ts';

/** Cells whose name holds this; all unless given. */
const ONLY = process.env['CHAOS_ONLY'] ?? '';
const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 0x7fff_ffff));
const REPORT = 'test-results/chaos-report.md';

describe('the fault matrix', function () {
  this.timeout(300_000);
  const outcomes: CellOutcome[] = [];

  /** After each, so that a run that is broken off leaves what it has. */
  const report = (): void => {
    const about = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} CPUs, Node ${process.version}, seed ${SEED}.`;
    mkdirSync('test-results', { recursive: true });
    writeFileSync(REPORT, faultReport(outcomes, about));
  };
  before(() => void process.stdout.write(`    what is found is written to ${REPORT}\n`));

  for (const cell of CELLS.filter(({ target, fault }) => `${target} ${fault}`.includes(ONLY))) {
    it(`${cell.target}, ${cell.fault}: every completed answer is charged once, no hold is left, read models equal a rebuild`, async () => {
      const outcome = await runCell(cell, SEED);
      outcomes.push(outcome);
      report();
      expect(outcome.violations).to.deep.equal([]);
      if (outcome.leftOut === undefined) expect(outcome.complete).to.be.greaterThan(0);
    });
  }
});
