import { expect } from 'chai';
import { FAILPOINTS, runCrashes, type CrashPlan } from '../chaos/crash.ts';
import { SEED } from './seed.ts';

const plans: readonly Pick<CrashPlan, 'profile' | 'gateways' | 'randomKills' | 'freezes' | 'failpoints'>[] = [
  { profile: 'postgres', gateways: 2, randomKills: 6, freezes: 1, failpoints: FAILPOINTS },
  // It takes longer to start, so it dies less often; `make chaos` kills both at every place.
  { profile: 'embedded', gateways: 1, randomKills: 4, freezes: 0, failpoints: ['reservation.durable', 'debit.durable', 'lease.closed'] },
];

describe('servers killed with kill -9 under load', function () {
  this.timeout(400_000);

  for (const plan of plans) {
    it(`${plan.profile}: every answer seen complete is charged once, no hold is left, the trial balance is zero`, async () => {
      const { findings, kills, text } = await runCrashes({ ...plan, clients: 6, longestLifeMs: 500, seed: SEED });
      process.stdout.write(`${text}\n`);
      expect(findings.violations).to.deep.equal([]);
      // It was a test of something: calls were served in between, money was charged, and death left something to sweep.
      expect(findings.answers.seen.complete).to.be.greaterThan(20);
      expect(findings.ledger.charges).to.be.greaterThan(20);
      expect(findings.ledger.reconcile).to.be.greaterThan(0);
      expect(kills).to.include({ random: plan.randomKills });
      for (const name of plan.failpoints) expect(kills).to.include({ [name]: 1 });
    });
  }
});
