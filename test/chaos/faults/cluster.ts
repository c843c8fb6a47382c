import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { openEventStoreLog } from '../../../infra/event-log/eventstoredb/open-eventstore-log.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { openSqliteLog } from '../../../infra/event-log/sqlite/open-sqlite-log.ts';
import { startKafka, type KafkaCluster } from '../../support/kafka/kafka-cluster.ts';
import { startPostgres } from '../../support/postgres.ts';
import type { PostgresServer } from '../../support/postgres-cluster.ts';
import { startRedisProcess, type RedisProcess } from '../../support/redis/redis-process.ts';
import { operatorOf, type Operator, type TestModel } from '../../support/server-process/operator.ts';
import { startServerProcess, type Ending, type ServerProcess } from '../../support/server-process/server-process.ts';
import { startUpstreamProcess, type UpstreamProcess } from '../../support/server-process/upstream-process.ts';
import { mountSmallDisk, type SmallDisk } from '../../support/small-disk.ts';
import { startEventStoreProcess, type EventStoreProcess } from './event-store-process.ts';
import { layWire, type Wire } from './wire.ts';

/** A service that our processes reach by one address. */
export type WiredService = 'postgres' | 'eventstore' | 'redis' | 'kafka';

/** What a cluster is made of. */
export interface ClusterPlan {
  readonly log: 'postgres' | 'sqlite' | 'eventstore';
  readonly redis?: boolean;
  /** How many brokers; one is reached by a wire, three directly. */
  readonly kafka?: 1 | 3;
  /** The processes of ours, in the order in which they start. */
  readonly processes: readonly { readonly name: string; readonly role: string }[];
  /** The service that is reached over a cable. */
  readonly overCable?: WiredService;
  /** Puts the log's files on a disk that can be filled. */
  readonly smallDisk?: boolean;
  /** Lets the clock of processes be moved. */
  readonly movableClocks?: boolean;
}

/** One process of ours: it dies and comes back under its name, at its address, on its data. */
export interface Member {
  readonly name: string;
  readonly url: string;
  /** Whether it takes calls. */
  readonly relays: boolean;
  /** The process as it is now. */
  current(): ServerProcess;
  kill(): Promise<Ending>;
  restart(): Promise<void>;
  /** Moves its clock to so far from the true time. */
  moveClock(byMs: number): void;
}

export interface Cluster {
  readonly members: readonly Member[];
  readonly operator: Operator;
  readonly upstream: UpstreamProcess;
  readonly postgres?: PostgresServer;
  readonly eventStore?: EventStoreProcess;
  readonly redis?: RedisProcess;
  readonly kafka?: KafkaCluster;
  readonly wires: Readonly<Partial<Record<WiredService, Wire>>>;
  readonly disk?: SmallDisk;
  /** A connection to the log that no fault of the wires touches. */
  openLog(): Promise<EventLog>;
  /** Ends everything, in whatever state it is, and removes its files. */
  remove(): Promise<void>;
}

/** What a machine lacks for a cluster, in words. */
export class NotHere extends Error {}

/** Short, so that what the dead leave behind is swept while the test watches. */
export const LEASE_SECONDS = 2;
export const GRACE_SECONDS = 1;

/** Room for a new server's files and a few minutes of calls. */
const DISK_MEGABYTES = 256;

const CLOCK = fileURLToPath(new URL('./moved-clock.mjs', import.meta.url));

export const startCluster = async (plan: ClusterPlan, models: readonly TestModel[]): Promise<Cluster> => {
  const closers: (() => Promise<unknown>)[] = [];
  const remove = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  const opened = <Thing>(thing: Thing, close: (thing: Thing) => Promise<unknown>): Thing => {
    closers.push(() => close(thing));
    return thing;
  };
  try {
    const folder = opened(await mkdtemp(join(tmpdir(), 'oblivious-faults-')), (path) => rm(path, { recursive: true, force: true }));
    let disk: SmallDisk | undefined;
    if (plan.smallDisk === true) {
      disk = await mountSmallDisk(DISK_MEGABYTES);
      if (disk === undefined) throw new NotHere('no file system can be mounted here: that takes root and Linux');
      opened(disk, (it) => it.remove());
    }
    const upstream = opened(await startUpstreamProcess(join(folder, 'upstream.jsonl')), (it) => it.stop());

    const wires: Partial<Record<WiredService, Wire>> = {};
    const wireTo = async (name: WiredService, port: number | (() => number)): Promise<Wire> => {
      const wire = opened(await layWire(port, plan.overCable === name), (it) => it.close());
      wires[name] = wire;
      return wire;
    };
    const environment: Record<string, string> = {
      OBLIVIOUS_MASTER_KEY: randomBytes(32).toString('base64'),
      OBLIVIOUS_LEASE_SECONDS: String(LEASE_SECONDS),
      OBLIVIOUS_LEASE_GRACE_SECONDS: String(GRACE_SECONDS),
      OBLIVIOUS_SANDBOX: 'off',
    };
    let postgres: PostgresServer | undefined;
    if (plan.log !== 'sqlite') {
      const onDisk = disk === undefined || plan.log === 'eventstore' ? {} : { folder: disk.folder };
      postgres = opened(await startPostgres(onDisk), (it) => it.stop());
      const wire = await wireTo('postgres', postgres.port);
      environment['DATABASE_URL'] = `postgres://postgres@${wire.host}:${wire.port}/postgres`;
    }
    let eventStore: EventStoreProcess | undefined;
    if (plan.log === 'eventstore') {
      eventStore = opened(await startEventStoreProcess(join(disk?.folder ?? folder, 'event-store.jsonl')), (it) => it.stop());
      const wire = await wireTo('eventstore', eventStore.port);
      environment['EVENTSTORE_URL'] = `esdb://${wire.host}:${wire.port}?tls=false`;
    }
    let redis: RedisProcess | undefined;
    if (plan.redis === true) {
      redis = opened(await startRedisProcess(), (it) => it.stop());
      const wire = await wireTo('redis', redis.port);
      environment['REDIS_URL'] = `redis://${wire.host}:${wire.port}`;
    }

    let kafka: KafkaCluster | undefined;
    if (plan.kafka === 1) {
      // Its clients go where it says that it is.
      let broker = 0;
      const wire = await wireTo('kafka', () => broker);
      const address = `${wire.host}:${wire.port}`;
      kafka = opened(await startKafka({ settings: { 'advertised.listeners': `PLAINTEXT://${address}` } }), (it) => it.stop());
      broker = Number(kafka.addresses.split(':')[1]);
      environment['KAFKA_BROKERS'] = address;
    } else if (plan.kafka === 3) {
      kafka = opened(await startKafka({ brokers: 3 }), (it) => it.stop());
      environment['KAFKA_BROKERS'] = kafka.addresses;
    }

    const start = async ({ name, role }: { readonly name: string; readonly role: string }): Promise<Member> => {
      const home = join(plan.log === 'sqlite' && disk !== undefined ? disk.folder : folder, name.replaceAll(' ', '-'));
      const clock = `${home}.clock`;
      const ofRole = role === 'all' ? environment : { ...environment, OBLIVIOUS_ROLES: role };
      const settings = plan.movableClocks === true ? { ...ofRole, NODE_OPTIONS: `--import=${CLOCK}`, MOVED_CLOCK: clock } : ofRole;
      let server = await startServerProcess({ home, environment: settings });
      const { url, port } = server;
      return opened(
        {
          name,
          url,
          relays: role === 'all' || role === 'relay',
          current: () => server,
          kill: () => server.kill(),
          restart: async () => {
            server = await startServerProcess({ home, environment: settings, port });
          },
          moveClock: (byMs: number) => {
            writeFileSync(clock, String(byMs));
            server.signal('SIGUSR2');
          },
        },
        async () => {
          server.signal('SIGCONT');
          await server.kill();
        },
      );
    };
    const members: Member[] = [];
    for (const process of plan.processes) members.push(await start(process));
    const asked = plan.processes.findIndex(({ role }) => role === 'all' || role === 'console');
    const operator = await operatorOf((members[asked] as Member).current());
    await operator.publishPrices(models);
    await operator.addChannel(upstream.baseUrl, models);

    const openLog = (): Promise<EventLog> => {
      if (eventStore !== undefined) return openEventStoreLog({ connectionString: `esdb://127.0.0.1:${eventStore.port}?tls=false` });
      if (postgres !== undefined) return openPostgresLog({ connectionString: postgres.connectionString });
      return openSqliteLog({ file: join((members[0] as Member).current().home, 'events.sqlite') });
    };
    return {
      members,
      operator,
      upstream,
      wires,
      openLog,
      remove,
      ...(postgres === undefined ? {} : { postgres }),
      ...(eventStore === undefined ? {} : { eventStore }),
      ...(redis === undefined ? {} : { redis }),
      ...(kafka === undefined ? {} : { kafka }),
      ...(disk === undefined ? {} : { disk }),
    };
  } catch (error) {
    await remove();
    throw error;
  }
};
