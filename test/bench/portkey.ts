import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startServer } from './server-process.ts';
import type { Target } from './target.ts';

const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/bench-portkey', import.meta.url));
const START_FILE = join(FOLDER, 'node_modules/@portkey-ai/gateway/build/start-server.js');

/**
 * The HTTP layer is pinned to what was current when this version came out: with the one that its ranges resolve to today it answers every
 * stream with an error 500.
 */
const MANIFEST = JSON.stringify(
  {
    private: true,
    dependencies: { '@portkey-ai/gateway': '1.15.2' },
    overrides: { hono: '4.9.7', '@hono/node-server': '1.13.8' },
  },
  null,
  2,
);

export class PortkeyUnavailable extends Error {}

const isInstalled = (): boolean => {
  const manifest = join(FOLDER, 'package.json');
  return (
    existsSync(START_FILE) && existsSync(join(FOLDER, 'node_modules/.package-lock.json')) && readFileSync(manifest, 'utf8') === MANIFEST
  );
};

/** Gets Portkey from npm into a cache folder, unless it is there. Throws {@link PortkeyUnavailable}. */
const install = (): void => {
  if (isInstalled()) return;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, 'package.json'), MANIFEST);
  const npm = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: FOLDER,
    encoding: 'utf8',
  });
  if (npm.status !== 0 || !isInstalled())
    throw new PortkeyUnavailable(`npm could not install it: ${npm.stderr.trim() || (npm.error?.message ?? 'no reason given')}`);
};

/** The Portkey gateway as its package starts it: without log, limits or ledger. */
export const startPortkey = async (upstream: string, folder: string): Promise<Target> => {
  install();
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'portkey',
    args: [START_FILE, `--port=${port}`, '--headless'],
    environment: { NODE_ENV: 'production' },
    logFile: join(folder, 'portkey.log'),
    readyUrl: () => `${origin}/`,
  });
  return {
    name: 'portkey',
    origin,
    headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream}/v1` },
    gatewayPids: [server.pid],
    databasePids: [],
    stop: () => server.stop(),
  };
};
