import { expect } from 'chai';
import { atRest } from '../support/auditor/at-rest.ts';
import { auditRun } from '../support/auditor/audit-run.ts';
import { startEventStoreServer } from '../support/eventstoredb/server.ts';
import { planCall } from '../support/load/call-plan.ts';
import { startLoad } from '../support/load/load.ts';
import { seededRandom } from '../support/load/random.ts';
import { testDatabase } from '../support/postgres.ts';
import { operatorOf } from '../support/server-process/operator.ts';
import type { TestModel } from '../support/server-process/operator.ts';
import type { ServerProcess } from '../support/server-process/server-process.ts';
import { startInstallation } from '../support/server-process/test-installation.ts';
import { SEED } from './seed.ts';

const MODEL: TestModel = { model: 'evented', inputPerToken: 200, cachedPerToken: 50, outputPerToken: 700, maxOutputTokens: 4_096 };
const PRICES = { input: 200n, cached: 50n, output: 700n };

describe('with the log in EventStoreDB and the read models in PostgreSQL', function () {
  this.timeout(240_000);

  it('every call of two gateways is charged once, though connections are cut and the store goes away and comes back, and a second start trusts its read models', async () => {
    const eventStore = await startEventStoreServer();
    const database = await testDatabase();
    const installation = await startInstallation({
      gateways: 2,
      models: [MODEL],
      databaseUrl: database.url,
      eventStoreUrl: eventStore.connectionString,
      environment: { OBLIVIOUS_LEASE_SECONDS: '2', OBLIVIOUS_LEASE_GRACE_SECONDS: '1' },
    });
    try {
      const { operator, upstream, urls } = installation;
      const userId = await operator.createUser(1_000_000_000_000n);
      const apiKeys = [(await operator.createKey(userId)).secret];
      const random = seededRandom(SEED);
      let planned = 0;
      const plan = (): ReturnType<typeof planCall> => planCall(planned++, MODEL.model, random);
      const loads = urls.map((url) => startLoad({ url, apiKeys, clients: 6, plan }));
      for (const load of loads) await load.complete(20);
      eventStore.cutAll();
      for (const load of loads) await load.complete(20);
      await eventStore.stop();
      await eventStore.start();
      for (const load of loads) await load.complete(20);
      const clients = (await Promise.all(loads.map((load) => load.stop()))).flat();

      const log = await installation.openLog();
      try {
        await atRest(log);
        // What the console shows comes from the read models, which are as far as the log then.
        const shown = await operator.request<{ readonly rows: readonly unknown[] }>('GET', '/events?limit=5');
        expect(shown.rows).to.have.length(5);
        await installation.stopServers();
        const { violations, answers } = await auditRun({ log, clients, upstream: await upstream.record(), prices: PRICES });
        expect(violations).to.deep.equal([]);
        expect(answers.seen.complete).to.be.at.least(120);

        const again = (await installation.startServers())[0] as ServerProcess;
        const users = await (await operatorOf(again)).request<{ readonly rows: readonly { readonly userId: string }[] }>('GET', '/users');
        expect(users.rows.map((user) => user.userId)).to.include(userId);
        // The read models have come from this log, and are found to have: nothing is made anew.
        expect(again.output()).not.to.contain('"level":"warn"');
      } finally {
        await log.close();
      }
    } finally {
      await installation.remove();
      await database.drop();
      await eventStore.close();
    }
  });
});
