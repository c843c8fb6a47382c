import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventStoreLog } from '../../../infra/event-log/eventstoredb/open-eventstore-log.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { openSqliteLog } from '../../../infra/event-log/sqlite/open-sqlite-log.ts';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { operatorOf, type Operator, type TestModel } from './operator.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { startUpstreamProcess, type UpstreamProcess } from './upstream-process.ts';

export interface InstallationOptions {
  /** Database of the server profile; the embedded profile unless given. */
  readonly databaseUrl?: string;
  /** Where the log is when it is not in that database. */
  readonly eventStoreUrl?: string;
  /** Processes on the one log; only the server profile has more than one. */
  readonly gateways: number;
  readonly models: readonly TestModel[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Gateways on one log, with prices, and a channel to the fake provider in a process of its own. */
export interface Installation {
  readonly servers: readonly ServerProcess[];
  readonly urls: readonly string[];
  readonly operator: Operator;
  readonly upstream: UpstreamProcess;
  /** A connection to the log beside the servers'; of the embedded profile only once they have stopped. */
  openLog(): Promise<EventLog>;
  /** Ends the servers in good order. */
  stopServers(): Promise<void>;
  /** Starts each server anew on its data, after `stopServers`; at other addresses. */
  startServers(): Promise<readonly ServerProcess[]>;
  /** Ends everything, in whatever state it is, and removes its files. */
  remove(): Promise<void>;
}

export const startInstallation = async ({
  databaseUrl,
  eventStoreUrl,
  gateways,
  models,
  environment = {},
}: InstallationOptions): Promise<Installation> => {
  const folder = await mkdtemp(join(tmpdir(), 'oblivious-installation-'));
  const upstream = await startUpstreamProcess(join(folder, 'upstream.jsonl'));
  const servers: ServerProcess[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.kill()));
    await upstream.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const settings = {
      OBLIVIOUS_MASTER_KEY: randomBytes(32).toString('base64'),
      OBLIVIOUS_SANDBOX: 'off',
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...(eventStoreUrl === undefined ? {} : { EVENTSTORE_URL: eventStoreUrl }),
      ...environment,
    };
    for (let index = 0; index < gateways; index++) {
      servers.push(await startServerProcess({ home: join(folder, `home-${index}`), environment: settings }));
    }
    const operator = await operatorOf(servers[0] as ServerProcess);
    await operator.publishPrices(models);
    await operator.addChannel(upstream.baseUrl, models);
    return {
      servers,
      urls: servers.map(({ url }) => url),
      operator,
      upstream,
      openLog: () => {
        if (eventStoreUrl !== undefined) return openEventStoreLog({ connectionString: eventStoreUrl });
        return databaseUrl === undefined
          ? openSqliteLog({ file: join(folder, 'home-0', 'events.sqlite') })
          : openPostgresLog({ connectionString: databaseUrl });
      },
      stopServers: async () => {
        for (const server of servers) {
          const { code } = await server.stop();
          if (code !== 0) throw new Error(`a server did not stop in order (${String(code)}):\n${server.output()}`);
        }
      },
      startServers: async () => {
        const homes = servers.splice(0).map(({ home }) => home);
        for (const home of homes) servers.push(await startServerProcess({ home, environment: settings }));
        return servers;
      },
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
};
