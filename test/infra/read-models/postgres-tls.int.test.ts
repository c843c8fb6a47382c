import { chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { migrateEventLog } from '../../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { openReadModels } from '../../../infra/read-models/read-models.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificate.ts';
import { startPostgres } from '../../support/postgres.ts';
import type { PostgresServer } from '../../support/postgres-cluster.ts';

const failureOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'none', String);

describe('PostgreSQL over TLS', function () {
  this.timeout(60_000);
  let server: PostgresServer;
  let certificate: TestCertificate;
  let stranger: TestCertificate;
  before(async () => {
    [certificate, stranger] = [makeCertificate(), makeCertificate()];
    // The certificate does not name the second address.
    server = await startPostgres({ settings: { listen_addresses: '127.0.0.1,127.0.0.2' } });
    const { uid, gid } = statSync(server.dataDir);
    for (const [file, content] of [
      ['server.key', certificate.key],
      ['server.crt', certificate.certificate],
    ] as const) {
      writeFileSync(join(server.dataDir, file), content, { mode: 0o600 });
      chownSync(join(server.dataDir, file), uid, gid);
    }
    const client = new pg.Client({ connectionString: server.connectionString });
    await client.connect();
    await client.query('ALTER SYSTEM SET ssl = on');
    await client.end();
    await server.restart();
  });
  after(async () => {
    await server.stop();
    certificate.remove();
    stranger.remove();
  });

  const urlOf = (host: string, parameters: string): string => {
    const url = new URL(server.connectionString);
    url.hostname = host;
    return `${url.href}?${parameters}`;
  };
  const trusting = (file: string): string => `sslmode=verify-full&sslrootcert=${encodeURIComponent(file)}`;
  it('carries every connection of ours, log and read models, named, when the URL says verify-full', async () => {
    for (const host of ['localhost', '127.0.0.1']) {
      const url = urlOf(host, trusting(certificate.file));
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await migrateEventLog(client);
      const log = await openPostgresLog({ connectionString: url });
      const models = await openReadModels({ kind: 'postgres', connectionString: url });
      try {
        await log.head();
        await models.database.transaction((tx) => tx.query('SELECT 1'));
        const { rows } = await client.query<{ name: string; ssl: boolean }>(
          `SELECT application_name AS name, bool_and(ssl) AS ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE application_name LIKE 'oblivious%' GROUP BY 1 ORDER BY 1`,
        );
        expect(rows, host).to.deep.equal([
          { name: 'oblivious event log', ssl: true },
          { name: 'oblivious projector', ssl: true },
          { name: 'oblivious read models', ssl: true },
        ]);
      } finally {
        await models.close();
        await log.close();
        await client.end();
      }
    }
  });

  it('is refused where the certificate is another, or was issued for another name', async () => {
    const open = (url: string): Promise<unknown> => openPostgresLog({ connectionString: url });
    expect(await failureOf(open(urlOf('localhost', trusting(stranger.file))))).to.match(/self-signed certificate|unable to verify/i);
    expect(await failureOf(open(urlOf('127.0.0.2', trusting(certificate.file))))).to.match(/does not match|not in the cert/);
    expect(await failureOf(open(urlOf('localhost', 'sslmode=verify-full')))).to.match(/self-signed certificate|unable to verify/i);
  });
});
