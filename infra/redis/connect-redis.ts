import { createClient, createCluster, createSentinel } from 'redis';
import { clusterLanes, ONE_LANE, type Lanes } from './lanes.ts';
import type { RedisAddress } from './redis-address.ts';

/** A connection that waits for nothing: what cannot be sent now is refused now. */
export interface RedisConnection {
  readonly lanes: Lanes;
  /** `key` is the command's key, which in a cluster says where to. */
  send(key: string, args: readonly string[]): Promise<unknown>;
  /** Ends when what was sent has been answered. */
  close(): Promise<void>;
  destroy(): void;
}

const RECONNECT_MS = { first: 50, most: 2_000 };

/** Doubles, and is spread so that not every process comes at once. */
const reconnectStrategy = (retries: number): number =>
  Math.min(RECONNECT_MS.first * 2 ** Math.min(retries, 10), RECONNECT_MS.most) * (0.5 + Math.random() / 2);

export interface ConnectRedisOptions {
  readonly address: RedisAddress;
  /** Certificates, as PEM, that vouch for the servers; those that Node trusts unless given. */
  readonly authorities?: Buffer;
  /** What the connections are called in `CLIENT LIST`. */
  readonly name: string;
}

/** Connects, or rejects after `withinMs`. What becomes of the connection later is for whoever sends to find out. */
export const connectRedis = async ({ address, authorities, name }: ConnectRedisOptions, withinMs: number): Promise<RedisConnection> => {
  const { tls, username, password } = address;
  const socketTimes = { connectTimeout: withinMs, reconnectStrategy, keepAlive: true, keepAliveInitialDelay: 5_000, noDelay: true };
  const socket = tls ? { ...socketTimes, tls: true as const, ...(authorities === undefined ? {} : { ca: authorities }) } : socketTimes;
  const options = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    name,
    disableOfflineQueue: true,
  };

  const made = ((): RedisConnection & { open(): Promise<unknown> } => {
    // Without a listener an error of the socket would end the process; what matters of it is seen where commands fail.
    const ignore = (): void => undefined;
    switch (address.kind) {
      case 'single': {
        const client = createClient({ ...options, RESP: 2, database: address.database, socket: { ...socket, ...address.at } });
        client.on('error', ignore);
        return {
          lanes: ONE_LANE,
          open: () => client.connect(),
          send: (_key, args) => client.sendCommand(args),
          close: () => client.close(),
          destroy: () => client.destroy(),
        };
      }
      case 'sentinel': {
        const { sentinelPassword } = address;
        const sentinel = createSentinel({
          name: address.master,
          sentinelRootNodes: [...address.sentinels],
          RESP: 2,
          nodeClientOptions: { ...options, database: address.database, socket },
          sentinelClientOptions: { ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }), socket },
          scanInterval: 1_000,
        });
        sentinel.on('error', ignore);
        return {
          lanes: ONE_LANE,
          open: () => sentinel.connect(),
          send: (_key, args) => sentinel.sendCommand(false, [...args]),
          close: () => sentinel.close(),
          destroy: () => void sentinel.destroy().catch(ignore),
        };
      }
      case 'cluster': {
        const cluster = createCluster({
          rootNodes: address.nodes.map((at) => ({ socket: { ...socket, ...at } })),
          RESP: 2,
          defaults: { ...options, socket },
        });
        cluster.on('error', ignore);
        return {
          lanes: clusterLanes(),
          open: () => cluster.connect(),
          send: (key, args) => cluster.sendCommand(key, false, [...args]),
          close: () => cluster.close(),
          destroy: () => cluster.destroy(),
        };
      }
    }
  })();

  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no connection within ${withinMs} ms`)), withinMs);
  });
  try {
    const opening = made.open();
    opening.catch(() => undefined);
    await Promise.race([opening, tooLate]);
    return made;
  } catch (error) {
    try {
      made.destroy();
    } catch {
      // It had not come so far that there is anything to destroy.
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
};
