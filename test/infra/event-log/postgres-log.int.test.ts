import pg from 'pg';
import { migrateEventLog } from '../../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { describeEventLog } from '../../conformance/event-log.ts';
import type { LogCut, LogSubject } from '../../conformance/event-log.ts';
import { startCuttingProxy } from '../../support/cutting-proxy.ts';
import type { CutPhase } from '../../support/cutting-proxy.ts';
import { startPostgres } from '../../support/postgres.ts';

const STATEMENT = Buffer.from('append\0');

const makeSubject = async (): Promise<LogSubject> => {
  const server = await startPostgres();
  const proxy = await startCuttingProxy({ host: '127.0.0.1', port: server.port });
  const client = new pg.Client({ connectionString: server.connectionString });
  await client.connect();
  await migrateEventLog(client);
  await client.end();

  const proxied = new URL(server.connectionString);
  proxied.port = String(proxy.port);
  const log = await openPostgresLog({ connectionString: proxied.href, statementTimeoutMs: 4_000, pollMs: 200 });

  const cut = (phase: CutPhase, written: LogCut['written']): LogCut => ({
    name: phase,
    written,
    arm: async () => proxy.arm(phase, (data) => data.includes(STATEMENT)),
  });

  return {
    log,
    another: () => openPostgresLog({ connectionString: server.connectionString }),
    cuts: [
      cut('before-request', 'never'),
      cut('mid-request', 'never'),
      cut('after-request', 'perhaps'),
      cut('before-answer', 'always'),
      cut('mid-answer', 'always'),
    ],
    restart: async (meanwhile) => {
      await server.kill('SIGKILL');
      await meanwhile();
      await server.restart();
    },
    close: async () => {
      await log.close();
      await proxy.close();
      await server.stop();
    },
  };
};

describeEventLog('PostgreSQL', makeSubject);
