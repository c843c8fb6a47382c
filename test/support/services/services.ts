import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { freePort, isFree } from '../free-port.ts';
import { tailOf } from '../postgres-logs.ts';
import { identityOf } from './process-identity.ts';
import type { Place, Service } from './service.ts';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

const Started = z.object({ pid: z.int(), identity: z.string(), ports: z.array(z.int()) });
type Started = z.infer<typeof Started>;

/** A service that serves. */
export interface Running {
  readonly service: Service;
  readonly place: Place;
  readonly pid: number;
  /** Whether it ran before it was asked for. */
  readonly already: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const folderOf = (home: string, service: Service): string => join(home, service.name);
const recordOf = (home: string, service: Service): string => join(folderOf(home, service), 'process.json');
const logOf = (home: string, service: Service): string => join(folderOf(home, service), 'output.log');

/** What was started and still runs. A pid whose process is gone, or another one by now, is forgotten and left alone. */
const startedOf = (home: string, service: Service): Started | undefined => {
  const file = recordOf(home, service);
  if (!existsSync(file)) return undefined;
  const read = Started.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (read.success && identityOf(read.data.pid) === read.data.identity) return read.data;
  rmSync(file);
  return undefined;
};

const choosePorts = async (service: Service, environment: Environment): Promise<number[]> => {
  const ports: number[] = [];
  for (const { variable, usual, decided = false } of service.ports) {
    const wanted = decided ? usual : Number(environment[variable] ?? usual);
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535)
      throw new Error(`${variable} is not a port: ${String(environment[variable])}`);
    if (wanted !== 0 && !(await isFree(wanted))) {
      throw new Error(`Port ${wanted} for ${service.title} is taken by another program. Set ${variable} to another one, or to 0 for any.`);
    }
    ports.push(wanted === 0 ? await freePort() : wanted);
  }
  return ports;
};

const start = async (home: string, service: Service, environment: Environment): Promise<Started> => {
  const folder = folderOf(home, service);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const ports = await choosePorts(service, environment);
  const command = await service.prepare({ folder, ports });
  const output = openSync(logOf(home, service), 'a', 0o600);
  try {
    const child = spawn(command.file, command.args, {
      cwd: command.cwd ?? folder,
      detached: true,
      stdio: ['ignore', output, output],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...command.environment },
      ...(command.uid === undefined ? {} : { uid: command.uid }),
      ...(command.gid === undefined ? {} : { gid: command.gid }),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new Error(`${service.title} could not be started: ${error.message}`)));
    });
    child.unref();
    const pid = child.pid as number;
    const started = { pid, identity: identityOf(pid) ?? '', ports };
    writeFileSync(recordOf(home, service), JSON.stringify(started));
    return started;
  } finally {
    closeSync(output);
  }
};

const untilServing = async (home: string, service: Service, { pid, identity, ports }: Started): Promise<void> => {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await service.check({ folder: folderOf(home, service), ports });
    } catch (error) {
      const why =
        identityOf(pid) !== identity
          ? 'its process ended'
          : Date.now() > deadline
            ? `it does not serve after ${START_TIMEOUT_MS / 1_000} s (${error instanceof Error ? error.message : String(error)})`
            : undefined;
      const log = logOf(home, service);
      if (why !== undefined) throw new Error(`${service.title} did not start: ${why}. Its output (${log}) ends:\n${tailOf(log)}`);
    }
    await pause(POLL_MS);
  }
};

/** Starts one service unless it runs, and resolves when it serves. What was started and does not come to serve is stopped again. */
const bringUp = async (home: string, service: Service, environment: Environment): Promise<Running> => {
  const before = startedOf(home, service);
  const started = before ?? (await start(home, service, environment));
  try {
    await untilServing(home, service, started);
  } catch (error) {
    if (before === undefined) await takeDown(home, service);
    throw error;
  }
  const place = { folder: folderOf(home, service), ports: started.ports };
  return { service, place, pid: started.pid, already: before !== undefined };
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/** Stops one service if it runs; says whether it did. */
const takeDown = async (home: string, service: Service): Promise<boolean> => {
  const started = startedOf(home, service);
  if (started === undefined) return false;
  const { pid, identity } = started;
  // One that was stopped in its tracks hears of nothing else before it goes on.
  signal(pid, 'SIGCONT');
  signal(pid, service.stopSignal);
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (identityOf(pid) === identity) {
    if (Date.now() > deadline) signal(pid, 'SIGKILL');
    await pause(POLL_MS);
  }
  rmSync(recordOf(home, service), { force: true });
  return true;
};

/** Two at once would start everything twice. A lock whose owner is gone counts for nothing. */
const alone = async <Result>(home: string, work: () => Promise<Result>): Promise<Result> => {
  mkdirSync(home, { recursive: true, mode: 0o755 });
  const file = join(home, 'lock');
  const own = `${process.pid} ${String(identityOf(process.pid))}`;
  for (;;) {
    try {
      writeFileSync(file, own, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [, pid, identity] = /^(\d+) (.*)$/.exec(readFileSync(file, 'utf8')) ?? [];
    if (pid !== undefined && identityOf(Number(pid)) === identity) {
      throw new Error(`Process ${pid} is starting or stopping these services just now.`);
    }
    rmSync(file);
  }
  return work().finally(() => rmSync(file, { force: true }));
};

/** Starts what does not run yet, all at once. When one fails the others stay: a second try goes on from there. */
export const servicesUp = (home: string, services: readonly Service[], environment: Environment): Promise<Running[]> =>
  alone(home, async () => {
    const outcomes = await Promise.allSettled(services.map((service) => bringUp(home, service, environment)));
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => (reason as Error).message);
    if (failures.length > 0) throw new Error(failures.join('\n'));
    return outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
  });

/** Stops what runs; says what that was. Data stay. */
export const servicesDown = (home: string, services: readonly Service[]): Promise<Service[]> =>
  alone(home, async () => {
    const stopped = await Promise.all(services.map((service) => takeDown(home, service)));
    return services.filter((_, index) => stopped[index]);
  });
