import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { watchForDeath } from '../support/deathwatch.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 25;

/** A child process, which ends when this one does, however that happens. */
export interface RunningProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/** A program of the harness's own, spoken to by messages. */
export interface Helper extends RunningProcess {
  /** The next message it sends. */
  hear(): Promise<unknown>;
  tell(message: object): void;
}

const pidOf = (child: ChildProcess, name: string): number => {
  if (child.pid === undefined) throw new Error(`${name} could not be started`);
  return child.pid;
};

const endOf = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

/** Runs a TypeScript file beside this one in a process of its own. It ends by itself when the channel to it closes. */
export const startHelper = (file: string, args: readonly string[] = []): Helper => {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, { serialization: 'advanced' });
  const ended = endOf(child);
  return {
    pid: pidOf(child, file),
    hear: async () => {
      const heard = await Promise.race([once(child, 'message'), ended]);
      if (heard === undefined) throw new Error(`${file} ended unexpectedly`);
      return (heard as [unknown])[0];
    },
    tell: (message) => void child.send(message),
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};

/** The origin of a helper that listens: its first message is its port. */
export const listeningOn = async (helper: Helper): Promise<string> =>
  `http://127.0.0.1:${((await helper.hear()) as { port: number }).port}`;

/** A server that is asked over HTTP whether it is ready. */
export interface ServerProgram {
  readonly name: string;
  /** Arguments of this Node. */
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where its output goes. */
  readonly logFile: string;
  /** Its URL once that is known; asked again and again until something answers there. */
  readyUrl(): string | undefined;
}

const END_PROCESS = `
kill -TERM "$1" 2>/dev/null
n=0
while kill -0 "$1" 2>/dev/null && [ $n -lt ${STOP_TIMEOUT_MS / 100} ]; do n=$((n + 1)); sleep 0.1; done
kill -KILL "$1" 2>/dev/null
`;

const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });

const logTail = (file: string): string => readFileSync(file, 'utf8').split('\n').slice(-20).join('\n');

/** Starts a server and waits until its ready URL answers 200. Throws with the end of its log when it does not come up. */
export const startServer = async (program: ServerProgram): Promise<RunningProcess> => {
  const log = openSync(program.logFile, 'a');
  const child = spawn(process.execPath, program.args, {
    cwd: program.cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...program.environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const pid = pidOf(child, program.name);
  const watch = watchForDeath(END_PROCESS, [String(pid)]);
  const stop = async (): Promise<void> => {
    await watch.fire();
    await endOf(child);
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const url = program.readyUrl();
    if (url !== undefined && (await answers(url))) return { pid, stop };
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${program.name} did not start. Its output ends:\n${logTail(program.logFile)}`);
    }
    await pause(POLL_MS);
  }
};

/** A port that nothing listens on, for programs that cannot choose one themselves. */
export const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
};
