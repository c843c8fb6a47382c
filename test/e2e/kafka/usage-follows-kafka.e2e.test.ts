import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import { hourTable } from '../../../projections/usage-hourly/tables.ts';
import { testKafka } from '../../support/kafka/kafka.ts';
import { testDatabase, type TestDatabase } from '../../support/postgres.ts';
import type { TestModel } from '../../support/server-process/operator.ts';
import { startInstallation, type Installation } from '../../support/server-process/test-installation.ts';

const MODEL: TestModel = { model: 'm', inputPerToken: 1_000, cachedPerToken: 500, outputPerToken: 4_000, maxOutputTokens: 64 };
const CALLS = 12;

interface Shown {
  readonly rows: readonly { readonly name: string; readonly position: string; readonly head: string }[];
}

/** Bridge, topic, and the projectors of both gateways, as they are when Kafka is configured. */
describe('usage in two gateways with Kafka', function () {
  this.timeout(180_000);
  let database: TestDatabase;
  let installation: Installation;

  before(async () => {
    const kafka = await testKafka();
    database = await testDatabase({ extensions: ['vector'] });
    installation = await startInstallation({
      databaseUrl: database.url,
      gateways: 2,
      models: [MODEL],
      environment: { KAFKA_BROKERS: kafka.brokers, KAFKA_TOPIC_PREFIX: kafka.prefix, KAFKA_PARTITIONS: '3' },
    });
  });
  after(async () => {
    await installation.remove();
    await database.drop();
  });

  const query = async <Row extends object>(text: string): Promise<readonly Row[]> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<Row & pg.QueryResultRow>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (const deadline = Date.now() + 90_000; !(await holds());) {
      if (Date.now() > deadline) throw new Error(`${what}\n${installation.servers.map(({ output }) => output()).join('\n')}`);
      await pause(100);
    }
  };

  it('comes by way of Kafka, and is all there', async () => {
    await until('usage is not handed over to Kafka', async () => {
      const rows = await query<{ projection: string }>(
        'SELECT projection FROM read_models_engine.checkpoint WHERE handed_over IS NOT NULL ORDER BY 1',
      );
      return rows.map(({ projection }) => projection).join() === 'usage-daily,usage-hourly';
    });
    const { operator, urls } = installation;
    const { secret } = await operator.createKey(await operator.createUser(1_000_000_000n));
    const ask = async (url: string): Promise<number> => {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', max_tokens: 8, messages: [{ role: 'user', content: 'hello' }] }),
      });
      await response.arrayBuffer();
      return response.status;
    };
    for (const url of urls) while ((await ask(url)) === 401);
    for (let call = 0; call < CALLS; call++) expect(await ask(urls[call % urls.length] ?? '')).to.equal(200);
    await until('usage does not come', async () => {
      const { rows } = await operator.request<Shown>('GET', '/projections');
      return rows.every(({ position, head }) => BigInt(position) >= BigInt(head));
    });
    const [usage] = await query<{ calls: string }>(`SELECT sum(calls) AS calls FROM read_models.${hourTable}`);
    expect(Number(usage?.calls)).to.equal(CALLS + urls.length);
    const names = await query<{ name: string }>(
      `SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'oblivious%' ORDER BY 1`,
    );
    expect(names.map(({ name }) => name)).to.include.members(['oblivious event log', 'oblivious projector', 'oblivious read models']);
  });
});
