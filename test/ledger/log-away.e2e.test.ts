import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';
import { atRest } from '../support/auditor/at-rest.ts';
import { auditRun } from '../support/auditor/audit-run.ts';
import type { ClientCall } from '../support/load/client-call.ts';
import { planCall } from '../support/load/call-plan.ts';
import { startLoad, type Load } from '../support/load/load.ts';
import { seededRandom } from '../support/load/random.ts';
import { startPostgres } from '../support/postgres.ts';
import type { TestModel } from '../support/server-process/operator.ts';
import { startInstallation } from '../support/server-process/test-installation.ts';
import { SEED } from './seed.ts';

const MODEL: TestModel = { model: 'away', inputPerToken: 200, cachedPerToken: 50, outputPerToken: 700, maxOutputTokens: 4_096 };
const PRICES = { input: 200n, cached: 50n, output: 700n };

/** Longer than appends are sent again before their callers are told that the log cannot be reached. */
const AWAY_MS = 13_000;
/** What was recorded before the log went away may reach its client a little after. */
const ON_ITS_WAY_MS = 1_500;

describe('while the log cannot record', function () {
  this.timeout(240_000);

  it('19. nothing is served; afterwards service resumes, and the audit is clean', async () => {
    const postgres = await startPostgres();
    const installation = await startInstallation({
      gateways: 1,
      models: [MODEL],
      databaseUrl: postgres.connectionString,
      environment: { OBLIVIOUS_LEASE_SECONDS: '2', OBLIVIOUS_LEASE_GRACE_SECONDS: '1' },
    });
    let load: Load | undefined;
    try {
      const { operator, upstream, urls } = installation;
      const userId = await operator.createUser(1_000_000_000_000n);
      const apiKeys = [(await operator.createKey(userId)).secret];
      const random = seededRandom(SEED);
      load = startLoad({ url: urls[0] as string, apiKeys, clients: 12, plan: (n) => planCall(n, MODEL.model, random) });
      await load.complete(40);

      await postgres.kill();
      const awayAt = performance.now();
      await pause(AWAY_MS);
      const backAt = performance.now();
      const during = load.calls.filter(({ endedAt }) => endedAt > awayAt + ON_ITS_WAY_MS && endedAt <= backAt);
      // A call that cost more than was held may be charged already and wait for its overdraft alone, which is owed until it is recorded.
      const chargedBefore = ({ script }: ClientCall): boolean => script['usage'] === 'beyond_limit';
      expect(during.filter((made) => made.seen === 'complete' && !chargedBefore(made))).to.deep.equal([]);
      expect(during.filter(({ seen, status }) => seen === 'refused' && status === 503).length).to.be.greaterThan(0);

      await postgres.restart();
      await load.complete(40);
      const clients = await load.stop();
      const log = await installation.openLog();
      try {
        await atRest(log);
        await installation.stopServers();
        const { violations, answers, ledger } = await auditRun({ log, clients, upstream: await upstream.record(), prices: PRICES });
        expect(violations).to.deep.equal([]);
        expect(answers.seen.complete).to.be.at.least(80);
        // Calls that ran when the log went away are on record as such.
        expect(ledger.reconcile).to.be.greaterThan(0);
      } finally {
        await log.close();
      }
    } finally {
      await load?.stop();
      await installation.remove();
      await postgres.stop();
    }
  });
});
