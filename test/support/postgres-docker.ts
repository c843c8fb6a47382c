import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { watchForDeath } from './deathwatch.ts';

const COMPOSE_FILE = resolve(import.meta.dirname, '../../docker-compose.yml');
const ANSWER_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 300_000;

/** Whether a Docker daemon answers and compose is there; having the client installed is not enough. */
export function dockerAnswers(): boolean {
  return [['info'], ['compose', 'version']].every(
    (args) => spawnSync('docker', args, { stdio: 'ignore', timeout: ANSWER_TIMEOUT_MS }).status === 0,
  );
}

/** Brings up the compose file's `postgres` under a project name of this process, on a port of Docker's choice. */
export function startComposePostgres(): { readonly url: string; stop(): Promise<void> } {
  const compose = ['compose', '-p', `oblivious-test-${process.pid}`, '-f', COMPOSE_FILE];
  const run = (args: readonly string[]): string => {
    const done = spawnSync('docker', [...compose, ...args], {
      encoding: 'utf8',
      timeout: START_TIMEOUT_MS,
      env: { ...process.env, POSTGRES_PORT: '0', POSTGRES_PASSWORD: 'oblivious' },
    });
    if (done.status !== 0) throw new Error(`docker ${[...compose, ...args].join(' ')} failed:\n${done.stdout}\n${done.stderr}`);
    return done.stdout.trim();
  };
  const watch = watchForDeath('docker compose -p "$1" -f "$2" down --volumes --timeout 5', [compose[2] as string, COMPOSE_FILE]);
  run(['up', '--detach', '--wait', 'postgres']);
  return { url: `postgres://oblivious:oblivious@${run(['port', 'postgres', '5432'])}/postgres`, stop: () => watch.fire() };
}
