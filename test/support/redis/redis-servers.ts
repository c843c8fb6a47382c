import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { onTeardown } from '../teardown.ts';
import type { TestCertificate } from '../certificate.ts';
import { freePort } from '../free-port.ts';
import { redisBinary, startRedisProcess, type RedisProcess } from './redis-process.ts';

const POLL_MS = 20;
const SETTLE_MS = 20_000;

const until = async (what: string, holds: () => boolean): Promise<void> => {
  const deadline = Date.now() + SETTLE_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
    await pause(POLL_MS);
  }
};

/** Where a test may keep keys of its own. */
export interface TestRedis {
  readonly url: string;
  readonly prefix: string;
}

let shared: Promise<string> | undefined;

/**
 * A prefix of this test's own on the run's shared server, which is started on first use: the server of `TEST_REDIS_URL`, else one from local
 * binaries. Never skips. For faults take {@link startRedisProcess}.
 */
export const testRedis = async (): Promise<TestRedis> => {
  const given = process.env['TEST_REDIS_URL'];
  shared ??=
    given === undefined || given === ''
      ? startRedisProcess().then((server) => {
          onTeardown(async () => {
            shared = undefined;
            await server.stop();
          });
          return server.url;
        })
      : Promise.resolve(given);
  return { url: await shared, prefix: `test-${randomBytes(6).toString('hex')}:` };
};

export interface TestSentinel {
  readonly url: string;
  readonly servers: readonly [RedisProcess, RedisProcess];
  readonly sentinel: RedisProcess;
  /** The one that sentinel names as master. */
  master(): RedisProcess;
  stop(): Promise<void>;
}

/** A master, a replica, and one sentinel that takes half a second of silence for death. */
export const startSentinel = async ({ tls }: { readonly tls?: TestCertificate } = {}): Promise<TestSentinel> => {
  const secured = tls === undefined ? {} : { tls };
  const first = await startRedisProcess({ ...secured, settings: ['repl-diskless-sync-delay 0'] });
  const second = await startRedisProcess({ ...secured, settings: [`replicaof 127.0.0.1 ${first.port}`] });
  const sentinel = await startRedisProcess({
    ...secured,
    sentinel: true,
    settings: [
      `sentinel monitor main 127.0.0.1 ${first.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 2000',
    ],
  });
  const servers = [first, second] as const;
  const master = (): RedisProcess => {
    const port = Number(sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main').split('\n')[1]);
    return port === second.port ? second : first;
  };
  const stop = async (): Promise<void> => void (await Promise.all([sentinel, ...servers].map((each) => each.stop())));
  try {
    await until('the sentinel knows the replica', () => sentinel.command('SENTINEL', 'REPLICAS', 'main').includes(String(second.port)));
    await until('the replica has the master’s data', () => second.command('INFO', 'replication').includes('master_link_status:up'));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `${tls === undefined ? 'redis' : 'rediss'}+sentinel://127.0.0.1:${sentinel.port}/main`, servers, sentinel, master, stop };
};

export interface TestRedisCluster {
  readonly url: string;
  readonly nodes: readonly RedisProcess[];
  stop(): Promise<void>;
}

/** Three masters, and as many replicas as asked for. A node that is silent for a second is taken for dead. */
export const startRedisCluster = async ({
  replicas = 0,
  tls,
}: {
  readonly replicas?: 0 | 1;
  readonly tls?: TestCertificate;
} = {}): Promise<TestRedisCluster> => {
  const nodes: RedisProcess[] = [];
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.stop())));
  try {
    for (let index = 0; index < 3 * (1 + replicas); index++) {
      nodes.push(
        await startRedisProcess({
          ...(tls === undefined ? {} : { tls }),
          settings: [
            'cluster-enabled yes',
            `cluster-port ${await freePort()}`,
            'cluster-node-timeout 1000',
            'cluster-require-full-coverage no',
            'repl-diskless-sync-delay 0',
          ],
        }),
      );
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const made = spawnSync(
      redisBinary('redis-cli'),
      [
        ...(tls === undefined ? [] : ['--tls', '--cacert', tls.file]),
        '--cluster',
        'create',
        ...addresses,
        '--cluster-replicas',
        String(replicas),
        '--cluster-yes',
      ],
      {
        encoding: 'utf8',
        timeout: SETTLE_MS,
      },
    );
    if (made.status !== 0) throw new Error(`redis-cli --cluster create failed:\n${made.stdout}\n${made.stderr}`);
    await until('every node says that all is well', () =>
      nodes.every((node) => {
        const info = node.command('CLUSTER', 'INFO');
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`);
      }),
    );
    if (replicas > 0)
      await until('every replica has its master’s data', () =>
        nodes.every((node) => {
          const info = node.command('INFO', 'replication');
          return info.includes('role:master') ? info.includes('connected_slaves:1') : info.includes('master_link_status:up');
        }),
      );
    return { url: `${tls === undefined ? 'redis' : 'rediss'}+cluster://${addresses.slice(0, 3).join(',')}`, nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
