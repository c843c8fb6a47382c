import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { ensurePgvector } from '../pgvector.ts';
import { findPostgresBinaries, serverAccount } from '../postgres-binaries.ts';
import type { PostgresBinaries, ServerAccount } from '../postgres-binaries.ts';
import { mayEnter, ownedByServer } from '../postgres-cluster.ts';
import type { Place, Service } from './service.ts';

const USER = 'oblivious';

export const postgresUrl = ({ ports }: Place): string => `postgres://${USER}:${USER}@127.0.0.1:${String(ports[0])}/${USER}`;

const binaries = (): PostgresBinaries => {
  const found = findPostgresBinaries();
  if (found === undefined) throw new Error('PostgreSQL 15 or newer is not installed (Debian, Ubuntu: apt-get install postgresql).');
  return found;
};

/**
 * The server's account may be another one than ours, which cannot reach a folder in our home. Its data lie elsewhere then, and the
 * service's folder holds a link to them.
 */
const dataParent = (folder: string, account: ServerAccount): string => {
  if (mayEnter(folder, account)) return folder;
  const outside = join('/var/tmp', `oblivious-services-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`);
  mkdirSync(outside, { recursive: true, mode: 0o755 });
  if (process.getuid !== undefined && statSync(outside).uid !== process.getuid()) throw new Error(`${outside} belongs to somebody else.`);
  const link = join(folder, 'elsewhere');
  rmSync(link, { force: true });
  symlinkSync(outside, link);
  return outside;
};

const initialise = (data: string, { bin }: PostgresBinaries, account: ServerAccount): void => {
  if (existsSync(join(data, 'PG_VERSION'))) return;
  // What an interrupted start left is no database yet.
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { mode: 0o700 });
  ownedByServer(data, account);
  const password = `${data}.password`;
  writeFileSync(password, USER, { mode: 0o600 });
  ownedByServer(password, account);
  try {
    const made = spawnSync(
      join(bin, 'initdb'),
      ['-D', data, `--username=${USER}`, `--pwfile=${password}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8'],
      { ...account, encoding: 'utf8', cwd: data, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' } },
    );
    if (made.status !== 0) {
      rmSync(data, { recursive: true, force: true });
      throw new Error(`initdb failed:\n${made.stdout}\n${made.stderr}`);
    }
  } finally {
    rmSync(password, { force: true });
  }
};

/** PostgreSQL with pgvector and a database of the gateway's, in the folder or, where its account cannot go there, under `/var/tmp`. */
export const postgresService: Service = {
  name: 'postgres',
  title: 'PostgreSQL',
  ports: [{ variable: 'SERVICES_POSTGRES_PORT', usual: 15_432 }],
  stopSignal: 'SIGINT',
  prepare: ({ folder, ports }) => {
    const server = binaries();
    const account = serverAccount();
    ensurePgvector(server);
    const data = join(dataParent(folder, account), 'data');
    initialise(data, server, account);
    const settings = {
      port: String(ports[0]),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      // Kept in the data directory, so that a killed server leaves nothing behind in /dev/shm.
      dynamic_shared_memory_type: 'mmap',
      timezone: 'UTC',
      log_timezone: 'UTC',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return { file: join(server.bin, 'postgres'), args: ['-D', data, ...args], environment: { LC_ALL: 'C.UTF-8' }, ...account };
  },
  check: async (place) => {
    const own = new URL(postgresUrl(place));
    const work = async (database: string, statements: (client: Client) => Promise<unknown>): Promise<void> => {
      const client = new Client({ connectionString: new URL(`/${database}`, own).href, connectionTimeoutMillis: 5_000 });
      await client.connect();
      await statements(client).finally(() => client.end());
    };
    await work('postgres', async (client) => {
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [USER]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${USER}`);
    });
    await work(USER, (client) => client.query('CREATE EXTENSION IF NOT EXISTS vector'));
  },
};

/** Removes what lies outside the service's folder. */
export const removePostgresData = (folder: string): void => {
  const link = join(folder, 'elsewhere');
  if (existsSync(link)) rmSync(join(link, 'data'), { recursive: true, force: true });
};
