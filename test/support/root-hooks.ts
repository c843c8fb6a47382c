import { runTeardown } from './teardown.ts';
import { recentPostgresLogs } from './postgres-logs.ts';

let failed = 0;

export const mochaHooks = {
  afterEach(this: Mocha.Context): void {
    if (this.currentTest?.state === 'failed') failed += 1;
  },
};

/** Mocha calls this once, when the last test of the run is over. */
export async function mochaGlobalTeardown(): Promise<void> {
  const logs = failed > 0 ? recentPostgresLogs() : [];
  await runTeardown();
  for (const { file, tail } of logs) process.stderr.write(`\nPostgreSQL log ${file}, its last lines:\n${tail}\n`);
}
