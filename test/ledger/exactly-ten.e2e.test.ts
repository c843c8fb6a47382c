import { expect } from 'chai';
import { auditRun } from '../support/auditor/audit-run.ts';
import { burst } from '../support/load/burst.ts';
import type { ClientCall, PlannedCall } from '../support/load/client-call.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import type { TestModel } from '../support/server-process/operator.ts';
import { startInstallation, type Installation } from '../support/server-process/test-installation.ts';

/** Prompts cost nothing and an answer is as long as it may be, so a call costs exactly what is held for it. */
const MODEL: TestModel = { model: 'exactly', inputPerToken: 0, cachedPerToken: 0, outputPerToken: 1_000_000, maxOutputTokens: 4_096 };
const PRICES = { input: 0n, cached: 0n, output: 1_000_000n };
/** The least output that is worth a call: none of them can be lowered to fit. */
const TOKENS = 32;
const PRICE = BigInt(TOKENS * MODEL.outputPerToken);
const CALLS = 1_000;
const AFFORDABLE = 10;

let made = 0;
const planned = (streamed: boolean): PlannedCall => {
  const n = ++made;
  return {
    marker: `call-${n}`,
    model: MODEL.model,
    streamed,
    maxTokens: TOKENS,
    usage: { prompt: n, cached: 0, output: TOKENS },
    ordinary: true,
    script: { tokens: TOKENS, prompt: n, latency: n % 50, chunk: 16 },
    leavesAfter: null,
  };
};

describe('1 000 parallel calls on money for exactly 10, against running servers', function () {
  this.timeout(240_000);

  for (const { profile, gateways, cases } of [
    {
      profile: 'PostgreSQL',
      gateways: 4,
      cases: [
        { name: 'to one of the four gateways', to: 1, keys: 1 },
        { name: 'spread over four gateways', to: 4, keys: 1 },
        { name: 'spread over four gateways, through eight keys of one user', to: 4, keys: 8 },
      ],
    },
    {
      profile: 'the embedded profile',
      gateways: 1,
      cases: [
        { name: 'to one gateway', to: 1, keys: 1 },
        { name: 'to one gateway, through eight keys of one user', to: 1, keys: 8 },
      ],
    },
  ] as const) {
    describe(`on ${profile}`, () => {
      let database: TestDatabase | undefined;
      let installation: Installation;
      const all: ClientCall[] = [];

      before(async () => {
        if (gateways > 1) database = await testDatabase();
        installation = await startInstallation({
          gateways,
          models: [MODEL],
          ...(database === undefined ? {} : { databaseUrl: database.url }),
        });
      });

      after(async () => {
        await installation.remove();
        await database?.drop();
      });

      for (const { name, to, keys } of cases) {
        it(`${name}: 10 are served, 990 are refused, and only 10 reach the upstream`, async () => {
          const userId = await installation.operator.createUser(PRICE * BigInt(AFFORDABLE));
          const apiKeys = await Promise.all(
            Array.from({ length: keys }, async () => (await installation.operator.createKey(userId)).secret),
          );
          const before = (await installation.upstream.record()).length;
          const calls = await burst(
            installation.urls.slice(0, to),
            apiKeys,
            Array.from({ length: CALLS }, (_, index) => planned(index % 2 === 0)),
          );
          all.push(...calls);
          const outcomes = new Map<string, number>();
          for (const { seen, status, error } of calls) {
            const outcome = `${seen} ${String(status)} ${String(error)}`;
            outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          }
          expect(Object.fromEntries(outcomes)).to.deep.equal({
            'complete 200 null': AFFORDABLE,
            'refused 429 insufficient_quota': CALLS - AFFORDABLE,
          });
          expect((await installation.upstream.record()).length - before).to.equal(AFFORDABLE);
        });
      }

      it('and the auditor finds each of them charged once, at its price', async () => {
        await installation.stopServers();
        const log = await installation.openLog();
        const { violations, ledger } = await auditRun({
          log,
          clients: all,
          upstream: await installation.upstream.record(),
          prices: PRICES,
        }).finally(() => log.close());
        expect(violations).to.deep.equal([]);
        expect(ledger.charges).to.equal(AFFORDABLE * cases.length);
        expect(ledger.charged).to.equal(PRICE * BigInt(AFFORDABLE * cases.length));
      });
    });
  }
});
