import { createWriteStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import type { CommandLineHost, OpenedData, ServerAddress } from '../../gateways/ports/command-line-host.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { readConfig, showConfig } from '../config/read-config.ts';
import { Unusable } from '../config/unusable.ts';
import { dataPaths } from '../home/data-directory.ts';
import { readOperatorFile } from '../home/operator-file.ts';
import { VERSION } from '../version.ts';

/** The operator's token as the environment gives it: for servers other than that of this data directory. */
const TOKEN_VARIABLE = 'OBLIVIOUS_OPERATOR_TOKEN';

const addressOf = async (environment: NodeJS.ProcessEnv, url: string | undefined): Promise<ServerAddress | null> => {
  const token = environment[TOKEN_VARIABLE];
  if (url !== undefined) return token === undefined || token === '' ? null : { baseUrl: url, token };
  const result = readConfig(environment);
  if ('mistakes' in result) return null;
  return readOperatorFile(dataPaths(resolve(result.config.OBLIVIOUS_HOME)).operatorFile);
};

const openOrRefuse = async (environment: NodeJS.ProcessEnv): Promise<OpenedData | Refusal> => {
  const result = readConfig(environment);
  if ('mistakes' in result) return refuse('invalid_request', result.mistakes.join('\n'));
  const { path, eventLogFile } = dataPaths(resolve(result.config.OBLIVIOUS_HOME));
  // A mistyped directory is not made into an installation.
  if (result.config.DATABASE_URL === undefined && !existsSync(eventLogFile))
    return refuse('not_found', `There is no installation in ${path}. Set OBLIVIOUS_HOME to its data directory.`);
  try {
    const { openData } = await import('./open-data.ts');
    return await openData(result.config);
  } catch (error) {
    if (error instanceof Unusable) return refuse('wrong_state', error.message);
    throw error;
  }
};

/**
 * The machine that the command line runs on: this process, its environment, its terminal. The server, and what opens its data, are loaded by the
 * commands that need them: they are most of the program, and what only asks a running server would wait a second for them.
 */
export const commandLineHost = (environment: NodeJS.ProcessEnv): CommandLineHost => {
  const interrupt = new AbortController();
  return {
    version: VERSION,
    stdout: process.stdout,
    stderr: process.stderr,
    get interrupted() {
      // Only who asks takes the signal over; the server ends in its own way.
      if (process.listenerCount('SIGINT') === 0) process.once('SIGINT', () => interrupt.abort());
      return interrupt.signal;
    },
    readStdin: () => text(process.stdin),
    readFile: (path) => readFile(path, 'utf8'),
    start: async (settings) => {
      const { runServer } = await import('../server/run-server.ts');
      return runServer({ ...environment, ...settings });
    },
    writeFile: async (path, content) => {
      try {
        await pipeline(Readable.from(content), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
        return null;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return refuse('already_exists', `There is a file ${path} already.`);
        throw error;
      }
    },
    config: () => {
      const result = readConfig(environment);
      return 'mistakes' in result ? result : { settings: showConfig(result.config, environment) };
    },
    server: (url) => addressOf(environment, url),
    openData: () => openOrRefuse(environment),
  };
};
