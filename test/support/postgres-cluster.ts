import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { watchForDeath } from './deathwatch.ts';
import type { Deathwatch } from './deathwatch.ts';
import { freePort } from './free-port.ts';
import { serverAccount } from './postgres-binaries.ts';
import type { PostgresBinaries, ServerAccount } from './postgres-binaries.ts';
import { openPostgresLog, tailOf } from './postgres-logs.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 10;

/**
 * Kills the server whose data directory is `$1/data` with all its backends, frees its System V segment, and removes `$1`.
 * The pid is believed only while the process still works in that directory.
 */
const CLEAN_UP = `
dir=$1
pid=$(sed -n 1p "$dir/data/postmaster.pid" 2>/dev/null)
segment=$(sed -n 7p "$dir/data/postmaster.pid" 2>/dev/null | awk '{print $2}')
works_there() { [ ! -e /proc/self/cwd ] || [ "$(readlink "/proc/$1/cwd")" = "$dir/data" ]; }
if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && works_there "$pid"; then
  backends=$(ps -A -o pid=,ppid= | awk -v p="$pid" '$2 == p {print $1}')
  kill -CONT $pid $backends 2>/dev/null
  kill -QUIT $pid 2>/dev/null
  n=0
  while kill -0 "$pid" 2>/dev/null && works_there "$pid" && [ $n -lt 50 ]; do n=$((n + 1)); sleep 0.1; done
  if kill -0 "$pid" 2>/dev/null && works_there "$pid"; then kill -KILL $pid $backends 2>/dev/null; sleep 0.2; fi
fi
[ -n "$segment" ] && ipcrm -m "$segment" 2>/dev/null
rm -rf "$dir"
`;

/** How a private server is set up; everything has a default fit for tests. */
export interface ClusterOptions {
  /** Extra `postgresql.conf` settings, e.g. `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Follows this server, and answers what only reads. */
  readonly standbyOf?: PostgresServer;
  /** An existing folder for its data directory, which the server's account can reach. */
  readonly folder?: string;
}

/** A PostgreSQL server of this test's own, with its data directory. */
export interface PostgresServer {
  /** Of the database `postgres`, as a superuser. */
  readonly connectionString: string;
  readonly port: number;
  readonly dataDir: string;
  readonly logFile: string;
  /** URL of another database on the server. */
  urlOf(database: string): string;
  /** Starts it again on the same port and data: after {@link kill} with crash recovery, else after an orderly stop first. */
  restart(): Promise<void>;
  /** `SIGKILL` (the default) ends postmaster and backends at one instant; any other signal goes to the postmaster. Resolves when all are gone. */
  kill(signal?: 'SIGKILL' | 'SIGQUIT' | 'SIGINT' | 'SIGTERM'): Promise<void>;
  /** Stops all its processes in their tracks: connections stay open and nothing answers, until {@link thaw}. */
  freeze(): void;
  thaw(): void;
  /** Stops it and removes its data directory. Safe to call twice. */
  stop(): Promise<void>;
}

function isAlive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}

function childrenOf(parent: number): number[] {
  return spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .stdout.split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent)
    .map(([pid]) => pid as number);
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Whether an account may work in a folder. */
export function mayEnter(folder: string, account: ServerAccount): boolean {
  return spawnSync('test', ['-x', folder], account).status === 0;
}

/** Folder of all throw-away clusters of this user; the server's account must be able to reach it. */
function workFolder(account: ServerAccount): string {
  const parent = mayEnter(tmpdir(), account) ? tmpdir() : '/tmp';
  const folder = join(parent, `oblivious-postgres-${process.getuid?.() ?? 'user'}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (process.getuid !== undefined && statSync(folder).uid !== process.getuid()) throw new Error(`${folder} belongs to somebody else.`);
  return folder;
}

/** Hands a folder over to the account that the server runs under. */
export function ownedByServer(folder: string, account: ServerAccount): void {
  if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid);
}

/** Removes clusters whose test process is gone and whose watcher did not survive either (a reboot, a killed container). */
function removeLeftovers(folder: string): void {
  for (const entry of readdirSync(folder).filter((name) => name.startsWith('c-'))) {
    const cluster = join(folder, entry);
    const owner = join(cluster, 'owner');
    if (!existsSync(owner)) continue;
    try {
      process.kill(Number(readFileSync(owner, 'utf8')), 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') spawnSync('/bin/sh', ['-c', CLEAN_UP, 'leftovers', cluster]);
    }
  }
}

/** `initdb` takes over a second, copying its result a few hundredths: it is done once per server version and kept. */
function template(folder: string, binaries: PostgresBinaries, account: ServerAccount): string {
  const ready = join(folder, `template-${binaries.version}`);
  if (existsSync(ready)) return ready;
  const scratch = mkdtempSync(join(folder, 't-'));
  ownedByServer(scratch, account);
  const data = join(scratch, 'data');
  const made = spawnSync(
    join(binaries.bin, 'initdb'),
    ['-D', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    { ...account, encoding: 'utf8', cwd: scratch, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' } },
  );
  if (made.status !== 0) throw new Error(`initdb failed:\n${made.stdout}\n${made.stderr}`);
  try {
    renameSync(data, ready);
  } catch (error) {
    // Another process was quicker; its template is as good.
    if (!existsSync(ready)) throw error;
  }
  rmSync(scratch, { recursive: true, force: true });
  return ready;
}

class Cluster implements PostgresServer {
  readonly port: number;
  readonly dataDir: string;
  readonly logFile: string;
  readonly #binaries: PostgresBinaries;
  readonly #account: ServerAccount;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #logFd: number;
  readonly #watch: Deathwatch;
  #postmaster: ChildProcess | undefined;
  #stopped: Promise<void> | undefined;

  constructor(folder: string, port: number, binaries: PostgresBinaries, account: ServerAccount, options: ClusterOptions) {
    this.#binaries = binaries;
    this.#account = account;
    this.port = port;
    this.dataDir = join(folder, 'data');
    const log = openPostgresLog(`${process.pid}-${port}`);
    this.logFile = log.file;
    this.#logFd = log.fd;
    this.#settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.dataDir,
      max_connections: '200',
      fsync: 'on',
      timezone: 'UTC',
      log_timezone: 'UTC',
      log_line_prefix: '%m [%p] %d ',
      // Kept in the data directory, so that a killed server leaves nothing behind in /dev/shm.
      dynamic_shared_memory_type: 'mmap',
      ...options.settings,
      port: String(port),
    };
    this.#watch = watchForDeath(CLEAN_UP, [folder]);
  }

  get connectionString(): string {
    return this.urlOf('postgres');
  }

  urlOf(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  async start(): Promise<void> {
    const args = Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const postmaster = spawn(join(this.#binaries.bin, 'postgres'), ['-D', this.dataDir, ...args], {
      ...this.#account,
      cwd: this.dataDir,
      env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
      // A session of its own: the Ctrl-C that ends the tests must not end the server under them.
      detached: true,
      stdio: ['ignore', this.#logFd, this.#logFd],
    });
    postmaster.unref();
    let failure: string | undefined;
    postmaster.once('error', (error) => (failure = error.message));
    postmaster.once('exit', (code, signal) => (failure = `it ended with ${signal ?? `code ${code ?? 'unknown'}`}`));
    this.#postmaster = postmaster;
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!this.#isReady()) {
      if (failure === undefined && Date.now() > deadline) failure = `not ready after ${START_TIMEOUT_MS} ms`;
      if (failure !== undefined)
        throw new Error(`PostgreSQL did not start: ${failure}. Its log (${this.logFile}) ends:\n${tailOf(this.logFile)}`);
      await pause(POLL_MS);
    }
  }

  async restart(): Promise<void> {
    if (this.#isRunning()) await this.kill('SIGINT');
    await this.start();
  }

  async kill(signal: 'SIGKILL' | 'SIGQUIT' | 'SIGINT' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const pid = this.#postmaster?.pid;
    if (pid === undefined || !this.#isRunning()) return;
    this.thaw();
    let backends: number[] = [];
    if (signal === 'SIGKILL') {
      // Stopped first, so that no backend is born between the listing and the killing.
      signalAll([pid], 'SIGSTOP');
      backends = childrenOf(pid);
      signalAll([...backends, pid], 'SIGKILL');
    } else {
      signalAll([pid], signal);
    }
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (this.#isRunning() || backends.some(isAlive)) {
      if (Date.now() > deadline)
        throw new Error(`PostgreSQL survived ${signal} for ${STOP_TIMEOUT_MS} ms. Its log ends:\n${tailOf(this.logFile)}`);
      await pause(POLL_MS);
    }
  }

  freeze(): void {
    const pid = this.#postmaster?.pid;
    if (pid === undefined || !this.#isRunning()) throw new Error('PostgreSQL is not running; there is nothing to freeze.');
    signalAll([pid], 'SIGSTOP');
    signalAll(childrenOf(pid), 'SIGSTOP');
  }

  thaw(): void {
    const pid = this.#postmaster?.pid;
    if (pid !== undefined && this.#isRunning()) signalAll([...childrenOf(pid), pid], 'SIGCONT');
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    // The data is thrown away, so an immediate shutdown loses nothing and saves the final checkpoint.
    await this.kill('SIGQUIT');
    await this.#watch.fire();
    closeSync(this.#logFd);
  }

  #isRunning(): boolean {
    return this.#postmaster?.pid !== undefined && this.#postmaster.exitCode === null && this.#postmaster.signalCode === null;
  }

  /** A server that starts on what a killed one left removes the file and makes it anew: it may go at any moment. */
  #pidFile(): string | undefined {
    try {
      return readFileSync(join(this.dataDir, 'postmaster.pid'), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #isReady(): boolean {
    const lines = this.#pidFile()?.split('\n');
    return lines !== undefined && Number(lines[0]) === this.#postmaster?.pid && lines[7]?.trim() === 'ready';
  }
}

async function tryStart(
  folder: string,
  source: string,
  binaries: PostgresBinaries,
  account: ServerAccount,
  options: ClusterOptions,
): Promise<Cluster> {
  const own = mkdtempSync(join(options.folder ?? folder, 'c-'));
  writeFileSync(join(own, 'owner'), String(process.pid));
  ownedByServer(own, account);
  const data = join(own, 'data');
  const { standbyOf } = options;
  const copied =
    standbyOf === undefined
      ? spawnSync('cp', ['-a', source, data], { encoding: 'utf8' })
      : spawnSync(
          join(binaries.bin, 'pg_basebackup'),
          ['-D', data, '-d', standbyOf.connectionString, '--write-recovery-conf', '--checkpoint=fast', '--no-sync'],
          { ...account, encoding: 'utf8', cwd: own, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' } },
        );
  if (copied.status !== 0) throw new Error(`Copying the cluster failed: ${copied.stderr}`);
  const cluster = new Cluster(own, await freePort(), binaries, account, options);
  try {
    await cluster.start();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

/** Makes and starts a cluster; see `startPostgres`. */
export async function startCluster(binaries: PostgresBinaries, options: ClusterOptions): Promise<PostgresServer> {
  const account = serverAccount();
  const folder = workFolder(account);
  removeLeftovers(folder);
  const source = template(folder, binaries, account);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryStart(folder, source, binaries, account, options);
    } catch (error) {
      // Another process may take a port between our finding it free and the server's binding it.
      if (attempt === 3 || !String(error).includes('could not bind')) throw error;
    }
  }
}
