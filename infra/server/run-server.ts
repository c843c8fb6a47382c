import { access } from 'node:fs/promises';
import { resolve as resolvePath } from 'node:path';
import type { Config } from '../../schemas/config.ts';
import type { Role } from '../../schemas/roles.ts';
import { readConfig } from '../config/read-config.ts';
import { reasonIn, Unusable } from '../config/unusable.ts';
import { dataPaths, openDataDirectory } from '../home/data-directory.ts';
import { createProgramLog } from '../logging/logger.ts';
import { freePort } from '../processes/free-port.ts';
import type { FirstCredentials } from '../processes/messages.ts';
import { processGroups } from '../processes/process-groups.ts';
import { supervised, type Supervised } from '../processes/supervised.ts';
import { ProcessNotStarted, supervise } from '../processes/supervisor.ts';
import { VERSION } from '../version.ts';
import { startServer } from './start-server.ts';

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** What a person who started the server wants to know. */
const banner = async (url: string, home: string, firstRun: StartedServer['firstRun']): Promise<string> => {
  const lines = [`Oblivious ${VERSION} is ready.`, '', `  Console and API   ${url}`, `  OpenAI base URL   ${url}/v1`];
  const { firstRunFile } = dataPaths(home);
  if (firstRun !== null) {
    lines.push(
      `  API key           ${firstRun.apiKey}`,
      `  Administrator     ${firstRun.adminEmail}`,
      `  Password          ${firstRun.adminPassword}`,
      '',
      '  Shown this once. They are also in',
      `  ${firstRunFile}`,
    );
  } else if (await exists(firstRunFile)) lines.push('', '  The first credentials are in', `  ${firstRunFile}`);
  return `\n${lines.join('\n')}\n\n`;
};

/** What went wrong at the start, in a line for people. */
const reasonOf = (error: unknown): string => {
  if (error instanceof Unusable || !(error instanceof Error)) return reasonIn(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'The port is taken by another program. Set PORT to another one.';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `HOST: this machine has no such address: ${error.message}`;
  if (code === 'EACCES') return `Not allowed: ${error.message}`;
  return `It could not start: ${reasonIn(error)}${error.cause instanceof Error ? ` (${reasonIn(error.cause)})` : ''}`;
};

/** A server of one process or of many, once it runs. */
interface StartedServer {
  readonly url: string;
  readonly firstRun: FirstCredentials | null;
  stop(): Promise<void>;
  /** Ends at once. */
  kill(): void;
}

const startOne = async (config: Config): Promise<StartedServer> => {
  const server = await startServer(config, VERSION);
  return { url: server.url, firstRun: server.firstRun, stop: () => server.stop(), kill: () => undefined };
};

/** How long idle connections are kept by a process that another one has replaced, where nothing is configured. */
const HAND_OVER_LINGER_MS = 5_000;
const handOverLingerMs = ({ OBLIVIOUS_LINGER_SECONDS: seconds }: Config): number => (seconds === 0 ? HAND_OVER_LINGER_MS : seconds * 1_000);

/** How much longer than its calls in flight a process may take to end. */
const CLOSING_MS = 15_000;

/** `all` takes the bridge in and lets it rest where there is no Kafka; a process that is told its roles by name would refuse it. */
const rolesToShare = ({ OBLIVIOUS_ROLES: roles, KAFKA_BROKERS: brokers }: Config): readonly Role[] =>
  brokers === undefined ? roles.filter((role) => role !== 'bridge') : roles;

const startMany = async (config: Config): Promise<StartedServer> => {
  const programLog = createProgramLog({ level: config.OBLIVIOUS_LOG_LEVEL, accessLog: false });
  const directory = await openDataDirectory(config.OBLIVIOUS_HOME);
  try {
    const supervisor = await supervise({
      groups: processGroups(rolesToShare(config), config.OBLIVIOUS_PROCESSES),
      port: config.PORT === 0 ? await freePort(config.HOST) : config.PORT,
      endMs: config.OBLIVIOUS_SHUTDOWN_SECONDS * 1_000 + handOverLingerMs(config) + CLOSING_MS,
      note: (text, details) => programLog.warn(text, details),
    });
    process.on('SIGHUP', () => void supervisor.replaceAll());
    return {
      ...supervisor.ready,
      stop: async () => {
        await supervisor.stop();
        directory.release();
        programLog.flushSync();
      },
      kill: () => supervisor.kill(),
    };
  } catch (error) {
    directory.release();
    throw error;
  }
};

/** Resolves once the process was told to end (SIGTERM or SIGINT) and has; the second time it ends at once. */
const untilTold = (stop: () => Promise<void>, kill: () => void): Promise<0> =>
  new Promise((resolve) => {
    let asked = false;
    const end = (): void => {
      if (asked) {
        kill();
        process.exit(1);
      }
      asked = true;
      void stop().then(() => resolve(0));
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
  });

/** One of the processes that a supervisor started. */
const runSupervised = async (config: Config, link: Supervised): Promise<0> => {
  const server = await startServer(config, VERSION, link);
  const { firstRun } = server;
  link.ready({
    url: server.url,
    firstRun:
      firstRun === null ? null : { apiKey: firstRun.apiKey, adminEmail: firstRun.adminEmail, adminPassword: firstRun.adminPassword },
  });
  const handedOver = new Promise<0>((resolve) =>
    link.onHandOver(() => void server.stop({ lingerMs: handOverLingerMs(config), listening: false }).then(() => resolve(0))),
  );
  return Promise.race([
    handedOver,
    untilTold(
      () => server.stop(),
      () => undefined,
    ),
  ]);
};

const run = async (config: Config): Promise<0> => {
  const link = supervised();
  if (link !== null) return runSupervised(config, link);
  const server = await (config.OBLIVIOUS_PROCESSES > 1 ? startMany(config) : startOne(config));
  process.stdout.write(await banner(server.url, resolvePath(config.OBLIVIOUS_HOME), server.firstRun));
  return untilTold(
    () => server.stop(),
    () => server.kill(),
  );
};

/**
 * Runs the server until it is told to end. Resolves with the exit code: 0, or 1 when it could not start. With more than one process
 * `SIGHUP` puts a new one in the place of each, without a call that fails.
 */
export const runServer = async (environment: NodeJS.ProcessEnv): Promise<number> => {
  const result = readConfig(environment);
  if ('mistakes' in result) {
    for (const mistake of result.mistakes) process.stderr.write(`${mistake}\n`);
    return 1;
  }
  try {
    return await run(result.config);
  } catch (error) {
    // A process that did not start has said why itself.
    if (!(error instanceof ProcessNotStarted)) process.stderr.write(`${reasonOf(error)}\n`);
    return 1;
  }
};
