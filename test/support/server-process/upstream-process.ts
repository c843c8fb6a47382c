import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseRecord, type RecordedCall } from '../fake-upstream/record.ts';

/** The fake provider in a process of its own, which outlives every gateway that is killed. */
export interface UpstreamProcess {
  readonly baseUrl: string;
  /** Everything it was asked so far, as it wrote it down itself. */
  record(): Promise<RecordedCall[]>;
  stop(): Promise<void>;
}

export const startUpstreamProcess = async (recordFile: string): Promise<UpstreamProcess> => {
  const main = fileURLToPath(new URL('../fake-upstream/main.ts', import.meta.url));
  // It ends with its standard input, so it cannot outlive this process either.
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--record', recordFile], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended.then(() => {
      throw new Error('the fake provider did not start');
    }),
  ])) as [string];
  const { baseUrl } = JSON.parse(line) as { baseUrl: string };
  return {
    baseUrl,
    record: async () => parseRecord(await readFile(recordFile, 'utf8')),
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
};
