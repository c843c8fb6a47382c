import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Hold } from '../../commands/ledger/hold.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import { migrateEventLog } from '../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../infra/event-log/postgres/open-postgres-log.ts';
import { openSqliteLog } from '../../infra/event-log/sqlite/open-sqlite-log.ts';
import { timeSortedIds } from '../../infra/ids.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import { RequestId, TokenId, UserId } from '../../schemas/ids.ts';
import { LedgerAudit } from '../support/auditor/ledger-audit.ts';
import { testDatabase } from '../support/postgres.ts';
import { charge, context, money, priceListId } from '../commands/ledger/ledger-rig.ts';
import { memoryLog } from '../support/memory-log.ts';
import { startSpending } from './spending-process.ts';

const PRICE = 1_000_000;
const CALLS = 1_000;
const AFFORDABLE = 10;

interface LogUnderTest {
  /** A connection of one process. */
  open(): Promise<EventLog>;
  drop(): Promise<void>;
}

const onPostgres = async (): Promise<LogUnderTest> => {
  const database = await testDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await migrateEventLog(client);
  await client.end();
  return { open: () => openPostgresLog({ connectionString: database.url }), drop: () => database.drop() };
};

const onSqlite = async (): Promise<LogUnderTest> => {
  const folder = await mkdtemp(join(tmpdir(), 'oblivious-ten-'));
  return { open: () => openSqliteLog({ file: join(folder, 'events.sqlite') }), drop: () => rm(folder, { recursive: true }) };
};

const inMemory = (): Promise<LogUnderTest> => {
  const log = memoryLog();
  return Promise.resolve({ open: () => Promise.resolve(log), drop: () => Promise.resolve() });
};

describe('1 000 calls at once on money for 10, on a real log', () => {
  for (const [name, prepare, spreads] of [
    [
      'in memory',
      inMemory,
      [
        [1, 1],
        [4, 1],
        [4, 8],
      ],
    ],
    [
      'on SQLite',
      onSqlite,
      [
        [1, 1],
        [1, 8],
      ],
    ],
    [
      'on PostgreSQL',
      onPostgres,
      [
        [1, 1],
        [4, 1],
        [1, 8],
        [4, 8],
      ],
    ],
  ] as const) {
    for (const [processes, keys] of spreads) {
      it(`${name}, in ${processes} process${processes > 1 ? 'es' : ''} through ${keys} key${keys > 1 ? 's' : ''}: 10 are held, 10 are charged, 990 refused`, async function () {
        this.timeout(30_000);
        const under = await prepare();
        try {
          const userId = UserId.parse(timeSortedIds.next('usr'));
          const tokenIds = Array.from({ length: keys }, () => TokenId.parse(timeSortedIds.next('key')));
          const gateways = await Promise.all(
            Array.from({ length: processes }, async (_, index) => startSpending(await under.open(), `gateway-${index}`)),
          );
          const [first] = gateways;
          if (first === undefined) throw new Error('no gateway');
          await first.book.execute(userId, { kind: 'openAccount', timeZone: 'UTC' }, context());
          await first.book.execute(
            userId,
            { kind: 'grantCredit', amount: money(AFFORDABLE * PRICE), source: 'grant', reason: 'test' },
            context(),
          );

          const reserve = async (index: number): Promise<Hold | Refusal> =>
            gateways[index % processes]!.keeper.reserve({
              requestId: RequestId.parse(`req_${index}`),
              userId,
              tokenId: tokenIds[(index >> 2) % keys]!,
              model: 'm',
              priceListId,
              amount: money(PRICE),
              least: money(PRICE),
            });
          const answers = await Promise.all(Array.from({ length: CALLS }, (_, index) => reserve(index)));
          const refused = answers.filter(isRefusal);
          expect(refused.every(({ refused: code }) => code === 'insufficient_quota')).to.equal(true);
          expect(refused).to.have.length(CALLS - AFFORDABLE);
          const charged = await Promise.all(
            answers.map(async (answer, index) =>
              isRefusal(answer) ? null : gateways[index % processes]!.keeper.charge(answer, charge(PRICE)),
            ),
          );
          expect(charged.filter((answer) => answer !== null && !isRefusal(answer))).to.have.length(AFFORDABLE);
          await Promise.all(gateways.map((gateway) => gateway.stop()));

          const audit = new LedgerAudit({ admissionSlackMs: 100 });
          const reader = await under.open();
          for await (const event of reader.readAll()) audit.observe(event);
          await reader.close();
          audit.atRest();
          expect(audit.violations).to.deep.equal([]);
          expect(audit.charges.size).to.equal(AFFORDABLE);
          expect(audit.balanceOf(`wallet:${userId}`)).to.equal(0n);
        } finally {
          await under.drop();
        }
      });
    }
  }
});
