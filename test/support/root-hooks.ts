import { runTeardown } from './teardown.ts';
import { recentPostgresLogs } from './postgres-logs.ts';

/** How long the process may take to end once all is torn down. */
const STILL_OPEN_MS = 30_000;

const MESSAGE_LENGTH = 600;

/** Said once more behind the servers' logs, for readers of the end alone. */
const failed: string[] = [];

export const mochaHooks = {
  afterEach(this: Mocha.Context): void {
    const test = this.currentTest;
    if (test?.state === 'failed')
      failed.push(`${test.file ?? ''}: ${test.fullTitle()}\n  ${String(test.err?.message).slice(0, MESSAGE_LENGTH)}`);
  },
};

/** Mocha calls this once, when the last test of the run is over. */
export async function mochaGlobalTeardown(): Promise<void> {
  const logs = failed.length > 0 ? recentPostgresLogs() : [];
  await runTeardown();
  for (const { file, tail } of logs) process.stderr.write(`\nPostgreSQL log ${file}, its last lines:\n${tail}\n`);
  if (failed.length > 0) process.stderr.write(`\nFailed:\n${failed.join('\n')}\n`);
  // What a test left open, mostly one that failed, would hold up the run until its patience ends.
  setTimeout(() => {
    process.stderr.write(
      `\nStill open ${STILL_OPEN_MS / 1_000} seconds after the last test: ${process.getActiveResourcesInfo().join(', ')}\n`,
    );
    process.exit(1);
  }, STILL_OPEN_MS).unref();
}
