import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The event store of the tests in a process of its own, which can be stopped in its tracks. Its events are lost with it. */
export interface EventStoreProcess {
  readonly port: number;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export const startEventStoreProcess = async (): Promise<EventStoreProcess> => {
  const main = fileURLToPath(new URL('../../support/eventstoredb/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--until-input-ends'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(/:(\d+)\?/.exec(line.toString())?.[1]);
  return {
    port,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
};
