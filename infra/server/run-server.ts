import { access } from 'node:fs/promises';
import { readConfig } from '../config/read-config.ts';
import { MasterKeyRefused } from '../crypto/master-key.ts';
import { dataPaths, DataDirectoryInUse } from '../home/data-directory.ts';
import { VERSION } from '../version.ts';
import { startServer, type RunningServer } from './start-server.ts';

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** What a person who started the server wants to know. */
const banner = async ({ url, home, firstRun }: RunningServer): Promise<string> => {
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
  if (error instanceof DataDirectoryInUse || error instanceof MasterKeyRefused) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'The port is taken by another program. Set PORT to another one.';
  if (code === 'EACCES') return `Not allowed: ${error.message}`;
  return `It could not start: ${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ''}`;
};

/**
 * Runs the server until it is told to end (SIGTERM or SIGINT; the second time at once). Resolves with the exit code: 0, or 1 when it
 * could not start.
 */
export const runServer = async (environment: NodeJS.ProcessEnv): Promise<number> => {
  const result = readConfig(environment);
  if ('mistakes' in result) {
    for (const mistake of result.mistakes) process.stderr.write(`${mistake}\n`);
    return 1;
  }
  let server: RunningServer;
  try {
    server = await startServer(result.config, VERSION);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    return 1;
  }
  process.stdout.write(await banner(server));
  return new Promise((resolve) => {
    let asked = false;
    const stop = (): void => {
      if (asked) process.exit(1);
      asked = true;
      void server.stop().then(() => resolve(0));
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
};
