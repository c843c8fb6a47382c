import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The event store of the tests in a process of its own, which can be stopped in its tracks. Its events are in a file and outlive it. */
export interface EventStoreProcess {
  readonly port: number;
  freeze(): void;
  thaw(): void;
  /** At once, as by `kill -9`. */
  kill(): Promise<void>;
  /** At the same port, with what it had acknowledged. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../support/eventstoredb/main.ts', import.meta.url));

/** Throws when it does not come up. */
const spawnStore = async (data: string, port: number): Promise<{ readonly child: ChildProcess; readonly port: number }> => {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, '--until-input-ends', '--data', data, '--port', String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the event store of the tests ended before it listened');
  });
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
  ended.catch(() => undefined);
  return { child, port: Number(/:(\d+)\?/.exec(line.toString())?.[1]) };
};

const killed = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
};

/** Keeps its events in the file `data`. */
export const startEventStoreProcess = async (data: string): Promise<EventStoreProcess> => {
  let { child, port } = await spawnStore(data, 0);
  return {
    port,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill: () => killed(child),
    restart: async () => {
      await killed(child);
      ({ child, port } = await spawnStore(data, port));
    },
    stop: () => killed(child),
  };
};
