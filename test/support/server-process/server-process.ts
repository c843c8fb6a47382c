import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { watchForDeath } from '../deathwatch.ts';
import { serverEntry } from './server-entry.ts';

export interface ServerProcessOptions {
  /** Data directory. */
  readonly home: string;
  /** Settings beside those that every test server has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** 0 takes any free one. */
  readonly port?: number;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly home: string;
  /** From start to ready, in milliseconds. */
  readonly startedInMs: number;
  readonly ended: Promise<Ending>;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<Ending>;
  /** Any other signal. */
  signal(name: NodeJS.Signals): void;
  /** Asks it to end and waits until it has. */
  stop(): Promise<Ending>;
  /** What it wrote to standard output and standard error, newest last, cut to the latest. */
  output(): string;
}

/** The server ended before it was ready. */
export class ServerNotReady extends Error {
  readonly ending: Ending;

  constructor(ending: Ending, output: string) {
    super(`the server ended with ${ending.signal ?? `code ${String(ending.code)}`} before it was ready:\n${output}`);
    this.name = 'ServerNotReady';
    this.ending = ending;
  }
}

const KEPT_OUTPUT = 64 * 1024;

/** Nothing of a developer's own environment reaches a server under test but what it takes to run. */
const baseEnvironment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '/',
  ...(process.env['LD_LIBRARY_PATH'] === undefined ? {} : { LD_LIBRARY_PATH: process.env['LD_LIBRARY_PATH'] }),
  HOST: '127.0.0.1',
  OBLIVIOUS_ACCESS_LOG: 'off',
  OBLIVIOUS_LOG_LEVEL: 'warn',
  OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS: 'loopback',
});

/** Kills the process `$1`, if it is still the one that was started with `$2` in its environment. */
const KILL_OURS = `if grep -qzxF "$2" "/proc/$1/environ" 2>/dev/null; then kill -9 "$1"; fi`;

/**
 * Starts a server and waits until it says that it is ready.
 *
 * @throws ServerNotReady
 */
export const startServerProcess = async ({ home, environment = {}, port = 0 }: ServerProcessOptions): Promise<ServerProcess> => {
  const began = performance.now();
  const child = spawn(process.execPath, [...serverEntry(), 'start'], {
    env: { ...baseEnvironment(), ...environment, OBLIVIOUS_HOME: home, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const watch = watchForDeath(KILL_OURS, [String(child.pid), `OBLIVIOUS_HOME=${home}`]);
  let output = '';
  const ended = new Promise<Ending>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  void ended.then(() => watch.fire());

  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-KEPT_OUTPUT);
      const said = /Console and API +(\S+)/.exec(output)?.[1];
      if (said !== undefined) resolve(said);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    void ended.then((ending) => reject(new ServerNotReady(ending, output)));
  });

  const { pid } = child;
  if (pid === undefined) throw new Error('a process that is ready has a pid');
  const end = (signal: NodeJS.Signals): Promise<Ending> => {
    child.kill(signal);
    return ended;
  };
  return {
    url,
    port: Number(new URL(url).port),
    pid,
    home,
    startedInMs: performance.now() - began,
    ended,
    kill: () => end('SIGKILL'),
    signal: (name) => void child.kill(name),
    stop: () => end('SIGTERM'),
    output: () => output,
  };
};

const FirstRun = z.object({ baseUrl: z.string(), apiKey: z.string(), adminEmail: z.string(), adminPassword: z.string() });
const Operator = z.object({ token: z.string() });

/** What the first start of a data directory left for people. */
export const firstRunOf = async (home: string): Promise<z.infer<typeof FirstRun>> =>
  FirstRun.parse(JSON.parse(await readFile(join(home, 'first-run.json'), 'utf8')));

/** What lets a test act as the operator of a data directory's server. */
export const operatorTokenOf = async (home: string): Promise<string> =>
  Operator.parse(JSON.parse(await readFile(join(home, 'operator.json'), 'utf8'))).token;
