import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { ensurePgvector } from './pgvector.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { startCluster } from './postgres-cluster.ts';
import type { ClusterOptions, PostgresServer } from './postgres-cluster.ts';
import { dockerAnswers, startComposePostgres } from './postgres-docker.ts';
import { onTeardown } from './teardown.ts';

/** A fresh, empty database of one test. */
export interface TestDatabase {
  readonly url: string;
  /** Cuts whoever is still connected and removes it. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** Extensions to create in it; `vector` is built when the server lacks it. */
  readonly extensions?: readonly ('vector' | 'pgcrypto')[];
}

/** A server that databases can be made on. */
interface Host {
  readonly url: string;
  readonly local: PostgresBinaries | undefined;
}

const PREFIX = 'oblivious_test_';
/** A database this old was left behind by a run that was killed. */
const ABANDONED_SECONDS = 6 * 3600;

function requireBinaries(): PostgresBinaries {
  const binaries = findPostgresBinaries();
  if (binaries !== undefined) return binaries;
  throw new Error(
    'These tests need a real PostgreSQL server (15 or newer) and found none. Do one of these:\n' +
      '  - install its binaries (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@15),\n' +
      '  - start Docker (for tests that may share a server),\n' +
      '  - set TEST_DATABASE_URL to a server whose role may create databases (likewise).',
  );
}

/**
 * Starts a private server from local binaries, for tests that stop, kill or freeze it. Its data directory is thrown away with it, also
 * when the test process is killed. `fsync` is on unless `settings` say otherwise.
 */
export function startPostgres(options: ClusterOptions = {}): Promise<PostgresServer> {
  return startCluster(requireBinaries(), options);
}

async function withAdmin<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The same server, another database; the user, password and parameters of the URL stay. */
function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function dropAbandoned(url: string): Promise<void> {
  await withAdmin(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [PREFIX]);
    for (const { datname } of rows) {
      const bornAt = Number.parseInt(datname.slice(PREFIX.length), 36);
      if (Date.now() / 1000 - bornAt > ABANDONED_SECONDS) await client.query(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`);
    }
  });
}

async function startHost(): Promise<Host> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') {
    await dropAbandoned(given);
    return { url: given, local: undefined };
  }
  if (dockerAnswers()) {
    const { url, stop } = startComposePostgres();
    onTeardown(stop);
    return { url, local: undefined };
  }
  const binaries = requireBinaries();
  const server = await startCluster(binaries, {});
  onTeardown(() => server.stop());
  return { url: server.connectionString, local: binaries };
}

let host: Promise<Host> | undefined;

function sharedHost(): Promise<Host> {
  if (host === undefined) {
    host = startHost();
    onTeardown(() => {
      host = undefined;
      return Promise.resolve();
    });
  }
  return host;
}

/**
 * A fresh database on the run's shared server, which is started on first use: the server of `TEST_DATABASE_URL`, else compose's where a
 * Docker daemon answers, else one from local binaries. Never skips: without any of the three it throws what to install.
 */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { url, local } = await sharedHost();
  const extensions = options.extensions ?? [];
  if (local !== undefined && extensions.includes('vector')) ensurePgvector(local);
  const name = `${PREFIX}${Math.floor(Date.now() / 1000).toString(36)}_${randomBytes(4).toString('hex')}`;
  await withAdmin(url, (client) => client.query(`CREATE DATABASE "${name}" TEMPLATE template0`));
  const own = withDatabase(url, name);
  if (extensions.length > 0) {
    await withAdmin(own, async (client) => {
      for (const extension of extensions) await client.query(`CREATE EXTENSION "${extension}"`);
    });
  }
  return {
    url: own,
    drop: () => withAdmin(url, async (client) => void (await client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`))),
  };
}
