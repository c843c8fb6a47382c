import { expect } from 'chai';
import { FAILPOINTS, runCrashes } from '../chaos/crash.ts';
import { SEED } from './seed.ts';

describe('servers killed with kill -9 under load', function () {
  this.timeout(300_000);

  for (const [profile, gateways, freezes] of [
    ['embedded', 1, 0],
    ['postgres', 2, 1],
  ] as const) {
    it(`${profile}: every answer seen complete is charged once, no hold is left, the trial balance is zero`, async () => {
      const { findings, kills, text } = await runCrashes({
        profile,
        gateways,
        freezes,
        clients: 6,
        randomKills: 5,
        eachFailpoint: 1,
        longestLifeMs: 500,
        seed: SEED,
      });
      process.stdout.write(`${text}\n`);
      expect(findings.violations).to.deep.equal([]);
      // It was a test of something: calls were served in between, money was charged, and death left something to sweep.
      expect(findings.answers.seen.complete).to.be.greaterThan(20);
      expect(findings.ledger.reconcile).to.be.greaterThan(0);
      expect(kills).to.include({ random: 5 });
      for (const name of Object.keys(FAILPOINTS)) expect(kills).to.include({ [name]: 1 });
    });
  }
});
