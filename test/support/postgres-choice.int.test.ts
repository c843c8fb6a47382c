import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { Client } from 'pg';
import { startPostgres } from './postgres.ts';
import type { PostgresServer } from './postgres-cluster.ts';

/** Runs a test process of its own that asks for a database and prints where it is. */
async function askForDatabase(env: NodeJS.ProcessEnv): Promise<{ url: string; errors: string }> {
  const script = `
    const { testDatabase } = await import('./test/support/postgres.ts');
    const { runTeardown } = await import('./test/support/teardown.ts');
    const database = await testDatabase();
    process.stdout.write(database.url);
    await database.drop();
    await runTeardown();
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { env: { ...process.env, ...env } });
  let url = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (url += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await once(child, 'close');
  return { url, errors };
}

describe('the server that test databases are made on', () => {
  let server: PostgresServer;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postgres-choice-'));
    server = await startPostgres();
    const client = new Client({ connectionString: server.connectionString });
    await client.connect();
    await client.query('CREATE ROLE oblivious SUPERUSER LOGIN');
    await client.end();
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  /** A `docker` that notes what it is asked and serves our own server as compose's. */
  function dockerThatAnswers(): { path: string; asked: () => string[] } {
    const log = join(folder, 'asked');
    writeFileSync(log, '');
    writeFileSync(
      join(folder, 'docker'),
      `#!/bin/sh\necho "$*" >>${log}\ncase "$*" in *' port postgres 5432') echo 127.0.0.1:${server.port} ;; esac\n`,
      { mode: 0o755 },
    );
    return { path: `${folder}${delimiter}${process.env['PATH'] ?? ''}`, asked: () => readFileSync(log, 'utf8').trim().split('\n') };
  }

  it('is the one of TEST_DATABASE_URL before all others', async () => {
    const docker = dockerThatAnswers();
    const { url, errors } = await askForDatabase({
      TEST_DATABASE_URL: `${server.connectionString}?application_name=given`,
      PATH: docker.path,
    });
    expect(errors).to.equal('');
    expect(url).to.match(new RegExp(`^postgres://postgres@127.0.0.1:${server.port}/oblivious_test_\\w+\\?application_name=given$`));
    expect(docker.asked()).to.deep.equal(['']);
  });

  it("is compose's where Docker answers, taken down with its volume at the end", async () => {
    const docker = dockerThatAnswers();
    const { url, errors } = await askForDatabase({ TEST_DATABASE_URL: '', PATH: docker.path });
    expect(errors).to.equal('');
    expect(url).to.match(new RegExp(`^postgres://oblivious:oblivious@127.0.0.1:${server.port}/oblivious_test_`));
    const asked = docker.asked().map((line) => line.replace(/-p \S+ -f \S+ /, ''));
    expect(asked).to.deep.equal([
      'info',
      'compose version',
      'compose up --detach --wait postgres',
      'compose port postgres 5432',
      'compose down --volumes --timeout 5',
    ]);
  });

  it('is missed loudly, with what to install', async () => {
    writeFileSync(join(folder, 'docker'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const { url, errors } = await askForDatabase({
      TEST_DATABASE_URL: '',
      POSTGRES_BIN: join(folder, 'nothing-here'),
      PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
    });
    expect(url).to.equal('');
    expect(errors).to.include('apt-get install postgresql');
    expect(errors).to.include('TEST_DATABASE_URL');
  });
});
