import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { watchForDeath, type Deathwatch } from '../deathwatch.ts';
import type { TestCertificate } from '../certificate.ts';
import { freePort } from '../free-port.ts';

const START_MS = 20_000;
const POLL_MS = 10;

/** Kills the process `$1` while it still works in `$2`, and removes that folder. */
const CLEAN_UP = `
if [ "$(readlink "/proc/$1/cwd")" = "$2" ] || [ ! -e /proc/self/cwd ]; then kill -CONT "$1"; kill -9 "$1"; fi 2>/dev/null
rm -rf "$2"
`;

/** Where a program of Redis is. */
export const redisBinary = (name: string): string => {
  const found = spawnSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
  if (found !== '') return found;
  throw new Error(`These tests need ${name} and did not find it. Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis.`);
};

/** A server of Redis, or a sentinel, of this test's own. */
export interface RedisProcess {
  readonly port: number;
  readonly pid: number;
  readonly url: string;
  /** What `redis-cli` prints for a command. Fails when the command does. */
  command(...args: readonly string[]): string;
  /** Stops it in its tracks: connections stay open and nothing answers, until {@link thaw}. */
  freeze(): void;
  thaw(): void;
  /** `SIGKILL`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its port, with nothing in it, or with what a sentinel or a node of a cluster wrote down. */
  restart(): Promise<void>;
  /** Ends it and removes its files. Safe to call twice. */
  stop(): Promise<void>;
}

export interface RedisProcessOptions {
  /** Lines of its configuration file. */
  readonly settings?: readonly string[];
  readonly sentinel?: boolean;
  readonly port?: number;
  /** It speaks nothing but TLS, with others of its kind too. */
  readonly tls?: TestCertificate;
}

export const startRedisProcess = async ({
  settings = [],
  sentinel = false,
  port,
  tls,
}: RedisProcessOptions = {}): Promise<RedisProcess> => {
  const program = redisBinary('redis-server');
  const cli = redisBinary('redis-cli');
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-redis-'));
  const listens = port ?? (await freePort());
  const file = join(folder, 'redis.conf');
  const own = sentinel ? [] : ['save ""', 'appendonly no'];
  const ports =
    tls === undefined
      ? [`port ${listens}`]
      : [
          'port 0',
          `tls-port ${listens}`,
          `tls-cert-file ${tls.file}`,
          `tls-key-file ${tls.keyFile}`,
          `tls-ca-cert-file ${tls.file}`,
          'tls-auth-clients no',
          'tls-replication yes',
          'tls-cluster yes',
        ];
  const access = tls === undefined ? [] : ['--tls', '--cacert', tls.file];
  writeFileSync(
    file,
    ['bind 127.0.0.1', ...ports, `dir ${folder}`, 'logfile redis.log', 'daemonize no', ...own, ...settings, ''].join('\n'),
  );

  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  let watch: Deathwatch | undefined;
  const isRunning = (): boolean => child?.pid !== undefined && child.exitCode === null && child.signalCode === null;

  const ask = (args: readonly string[]): { readonly ok: boolean; readonly text: string } => {
    const { status, stdout, stderr } = spawnSync(cli, ['-e', ...access, '-p', String(listens), ...args], {
      encoding: 'utf8',
      timeout: 5_000,
    });
    return { ok: status === 0, text: (stdout + stderr).trim() };
  };

  const start = async (): Promise<void> => {
    // A session of its own: the Ctrl-C that ends the tests must not end the server under them.
    const started = spawn(program, [file, ...(sentinel ? ['--sentinel'] : [])], { cwd: folder, detached: true, stdio: 'ignore' });
    started.unref();
    child = started;
    ended = new Promise((resolve) => started.once('exit', () => resolve()));
    watch = watchForDeath(CLEAN_UP, [String(started.pid), folder]);
    const deadline = Date.now() + START_MS;
    while (ask(['PING']).text !== 'PONG') {
      if (!isRunning() || Date.now() > deadline) throw new Error(`${program} did not start on port ${listens}; see ${folder}/redis.log`);
      await pause(POLL_MS);
    }
  };
  const signal = (name: NodeJS.Signals): void => {
    if (child?.pid !== undefined && isRunning()) process.kill(child.pid, name);
  };
  const kill = async (): Promise<void> => {
    signal('SIGKILL');
    await ended;
  };

  await start();
  return {
    port: listens,
    get pid() {
      return child?.pid ?? 0;
    },
    url: `${tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${listens}`,
    command: (...args) => {
      const { ok, text } = ask(args);
      if (!ok) throw new Error(`redis-cli ${args.join(' ')}: ${text}`);
      return text;
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    kill,
    restart: async () => {
      await kill();
      await start();
    },
    stop: async () => {
      await kill();
      await watch?.fire();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
