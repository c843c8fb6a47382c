import type { PostgresServer } from '../../support/postgres-cluster.ts';
import type { KafkaBroker } from '../../support/kafka/kafka-cluster.ts';
import type { Cell } from './cell.ts';
import { GRACE_SECONDS, LEASE_SECONDS, type Cluster, type ClusterPlan, type Member, type WiredService } from './cluster.ts';
import type { EventStoreProcess } from './event-store-process.ts';
import type { Wire } from './wire.ts';

const there = <Thing>(thing: Thing | undefined): Thing => {
  if (thing === undefined) throw new Error('the cell asks for something that its plan leaves out');
  return thing;
};

const postgresOf = (cluster: Cluster): PostgresServer => there(cluster.postgres);
const eventStoreOf = (cluster: Cluster): EventStoreProcess => there(cluster.eventStore);
const firstOf = (cluster: Cluster): Member => there(cluster.members[0]);

/** Each way, for each piece of data: many times a healthy answer's time, and well within every time limit. */
const SLOW_MS = 150;

const TWO: ClusterPlan['processes'] = [
  { name: 'gateway 1', role: 'all' },
  { name: 'gateway 2', role: 'all' },
];
const ONE: ClusterPlan['processes'] = [{ name: 'gateway', role: 'all' }];
/** Every background role twice: one at work and one standing by, or both at once where the role allows it. */
const BY_ROLE: ClusterPlan['processes'] = [
  { name: 'projector 1', role: 'projector' },
  { name: 'projector 2', role: 'projector' },
  { name: 'sweeper 1', role: 'sweeper' },
  { name: 'sweeper 2', role: 'sweeper' },
  { name: 'bridge 1', role: 'bridge' },
  { name: 'bridge 2', role: 'bridge' },
  { name: 'worker 1', role: 'worker' },
  { name: 'console', role: 'console' },
  { name: 'relay', role: 'relay' },
];
const onPostgres: ClusterPlan = { log: 'postgres', processes: TWO };
const onEventStore: ClusterPlan = { log: 'eventstore', processes: TWO };

/** The faults that lie between our processes and a service. */
const onTheWire = (target: string, plan: ClusterPlan, name: WiredService, serving: Cell['serving']): readonly Cell[] => {
  const wireOf = (cluster: Cluster): Wire => there(cluster.wires[name]);
  const heal = (cluster: Cluster): Promise<void> => wireOf(cluster).heal();
  return [
    {
      target,
      fault: 'slow',
      plan,
      lastsMs: 8_000,
      serving: 'every',
      strike: (cluster) => wireOf(cluster).slow(SLOW_MS),
      heal,
      how: () => `${SLOW_MS} ms each way`,
    },
    {
      target,
      fault: 'cut off',
      plan: { ...plan, overCable: name },
      lastsMs: 4_000,
      serving,
      strike: (cluster) => wireOf(cluster).cut(),
      heal,
      how: (cluster) => `by a ${wireOf(cluster).kind}`,
    },
    { target, fault: 'connection refused', plan, lastsMs: 3_000, serving, strike: (cluster) => wireOf(cluster).refuse(), heal },
  ];
};

const postgresCells: readonly Cell[] = [
  {
    target: 'PostgreSQL',
    fault: 'killed',
    plan: onPostgres,
    lastsMs: 3_000,
    serving: 'none',
    strike: (cluster) => postgresOf(cluster).kill(),
    heal: (cluster) => postgresOf(cluster).restart(),
  },
  {
    target: 'PostgreSQL',
    fault: 'frozen',
    plan: onPostgres,
    lastsMs: 4_000,
    serving: 'none',
    strike: (cluster) => postgresOf(cluster).freeze(),
    heal: (cluster) => postgresOf(cluster).thaw(),
  },
  ...onTheWire('PostgreSQL', onPostgres, 'postgres', 'none'),
  {
    target: 'PostgreSQL',
    fault: 'disk full',
    plan: { ...onPostgres, smallDisk: true },
    lastsMs: 5_000,
    // What room there is in files that are there already is used up first.
    serving: 'open',
    strike: (cluster) => there(cluster.disk).fill(),
    heal: (cluster) => {
      there(cluster.disk).relieve();
      // It may have stopped by itself, as it does when it cannot write its own log.
      return postgresOf(cluster).restart();
    },
    how: () => 'its data on a file system of 256 MiB',
  },
];

const withRedis: ClusterPlan = { ...onPostgres, redis: true };
/** Nothing that has to be right depends on it. */
const redisCells: readonly Cell[] = [
  {
    target: 'Redis',
    fault: 'killed, its data lost',
    plan: withRedis,
    lastsMs: 3_000,
    serving: 'every',
    strike: (cluster) => there(cluster.redis).kill(),
    heal: (cluster) => there(cluster.redis).restart(),
  },
  {
    target: 'Redis',
    fault: 'frozen',
    plan: withRedis,
    lastsMs: 4_000,
    serving: 'every',
    strike: (cluster) => there(cluster.redis).freeze(),
    heal: (cluster) => there(cluster.redis).thaw(),
  },
  ...onTheWire('Redis', withRedis, 'redis', 'every'),
  {
    target: 'Redis',
    fault: 'flushed',
    plan: withRedis,
    lastsMs: 2_000,
    serving: 'every',
    strike: (cluster) => void there(cluster.redis).command('FLUSHALL'),
    heal: () => undefined,
  },
];

const embeddedCells: readonly Cell[] = [
  {
    target: 'SQLite',
    fault: 'disk full',
    plan: { log: 'sqlite', processes: ONE, smallDisk: true },
    lastsMs: 5_000,
    serving: 'open',
    strike: (cluster) => there(cluster.disk).fill(),
    heal: (cluster) => there(cluster.disk).relieve(),
    how: () => 'the data directory on a file system of 256 MiB',
  },
  {
    target: 'gateway, embedded',
    fault: 'kill -9',
    plan: { log: 'sqlite', processes: ONE },
    lastsMs: 100,
    serving: 'open',
    strike: (cluster) => firstOf(cluster).kill(),
    heal: (cluster) => firstOf(cluster).restart(),
  },
];

const eventStoreCells: readonly Cell[] = [
  {
    target: 'event store',
    fault: 'killed',
    plan: onEventStore,
    lastsMs: 3_000,
    serving: 'none',
    strike: (cluster) => eventStoreOf(cluster).kill(),
    heal: (cluster) => eventStoreOf(cluster).restart(),
  },
  {
    target: 'event store',
    fault: 'frozen',
    plan: onEventStore,
    lastsMs: 4_000,
    serving: 'none',
    strike: (cluster) => eventStoreOf(cluster).freeze(),
    heal: (cluster) => eventStoreOf(cluster).thaw(),
  },
  ...onTheWire('event store', onEventStore, 'eventstore', 'none'),
  {
    target: 'event store',
    fault: 'disk full',
    plan: { ...onEventStore, smallDisk: true },
    lastsMs: 5_000,
    serving: 'open',
    strike: (cluster) => there(cluster.disk).fill(),
    heal: (cluster) => {
      there(cluster.disk).relieve();
      // It ends itself when it cannot write.
      return eventStoreOf(cluster).restart();
    },
    how: () => 'its data on a file system of 256 MiB',
  },
  {
    target: 'PostgreSQL of the read models',
    fault: 'killed',
    plan: onEventStore,
    lastsMs: 4_000,
    // Money does not depend on them.
    serving: 'every',
    strike: (cluster) => postgresOf(cluster).kill(),
    heal: (cluster) => postgresOf(cluster).restart(),
  },
  {
    target: 'PostgreSQL of the read models',
    fault: 'frozen',
    plan: onEventStore,
    lastsMs: 4_000,
    serving: 'every',
    strike: (cluster) => postgresOf(cluster).freeze(),
    heal: (cluster) => postgresOf(cluster).thaw(),
  },
];

/** Longer than a lease lives without its holder, and than it takes until somebody looks for such leases. */
const PAST_ITS_LEASE_MS = (LEASE_SECONDS + GRACE_SECONDS) * 1_000 + 6_000;

const withKafka: ClusterPlan = { ...onPostgres, kafka: 1 };
const brokerOf = (cluster: Cluster): KafkaBroker => there(there(cluster.kafka).brokers[0]);
/** Calls do not wait for it; what it missed is handed on afterwards. */
const kafkaCells: readonly Cell[] = [
  {
    target: 'Kafka',
    fault: 'killed',
    plan: withKafka,
    lastsMs: 3_000,
    serving: 'every',
    strike: (cluster) => brokerOf(cluster).kill(),
    heal: (cluster) => brokerOf(cluster).restart(),
  },
  {
    target: 'Kafka',
    fault: 'frozen',
    plan: withKafka,
    lastsMs: 4_000,
    serving: 'every',
    strike: (cluster) => brokerOf(cluster).freeze(),
    heal: (cluster) => brokerOf(cluster).thaw(),
  },
  ...onTheWire('Kafka', withKafka, 'kafka', 'every'),
  {
    target: 'Kafka',
    fault: 'one broker of three killed',
    plan: { ...onPostgres, kafka: 3 },
    lastsMs: 4_000,
    serving: 'every',
    strike: (cluster) => brokerOf(cluster).kill(),
    heal: (cluster) => brokerOf(cluster).restart(),
  },
];

const HOUR_MS = 3_600_000;

const clockMoved = (
  target: string,
  fault: string,
  plan: ClusterPlan,
  byMs: number,
  serving: Cell['serving'],
  memberOf: (cluster: Cluster) => Member,
): Cell => ({
  target,
  fault,
  plan: { ...plan, movableClocks: true },
  lastsMs: 6_000,
  serving,
  strike: (cluster) => memberOf(cluster).moveClock(byMs),
  heal: (cluster) => memberOf(cluster).moveClock(0),
  how: () => 'its own clock, through a preloaded Date; and back',
});

const byRole: ClusterPlan = { log: 'postgres', kafka: 1, processes: BY_ROLE };
const roleCells: readonly Cell[] = ['projector 1', 'sweeper 1', 'bridge 1', 'worker 1', 'console', 'relay'].flatMap((name) => {
  const memberOf = (cluster: Cluster): Member => there(cluster.members.find((member) => member.name === name));
  const serving: Cell['serving'] = name === 'relay' ? 'open' : 'every';
  const target = `role ${name.replace(/ \d$/, '')}`;
  return [
    {
      target,
      fault: 'kill -9',
      plan: byRole,
      lastsMs: 3_000,
      serving,
      strike: (cluster) => memberOf(cluster).kill(),
      heal: (cluster) => memberOf(cluster).restart(),
    },
    {
      target,
      fault: 'SIGTERM',
      plan: byRole,
      lastsMs: 2_000,
      serving,
      strike: (cluster) => memberOf(cluster).current().stop(),
      heal: (cluster) => memberOf(cluster).restart(),
    },
    {
      target,
      fault: 'SIGSTOP past its lease, and back',
      plan: byRole,
      lastsMs: PAST_ITS_LEASE_MS,
      serving,
      strike: (cluster) => memberOf(cluster).current().signal('SIGSTOP'),
      heal: (cluster) => memberOf(cluster).current().signal('SIGCONT'),
    },
    clockMoved(target, 'clock an hour ahead', byRole, HOUR_MS, serving, memberOf),
    clockMoved(target, 'clock an hour behind', byRole, -HOUR_MS, serving, memberOf),
  ] satisfies readonly Cell[];
});

const gatewayCells: readonly Cell[] = [
  {
    target: 'gateway',
    fault: 'kill -9',
    plan: onPostgres,
    lastsMs: 2_000,
    serving: 'some',
    strike: (cluster) => firstOf(cluster).kill(),
    heal: (cluster) => firstOf(cluster).restart(),
  },
  {
    target: 'gateway',
    fault: 'SIGTERM',
    plan: onPostgres,
    lastsMs: 2_000,
    serving: 'some',
    strike: async (cluster) => {
      const { code } = await firstOf(cluster).current().stop();
      if (code !== 0) throw new Error(`it did not stop in order (${String(code)})`);
    },
    heal: (cluster) => firstOf(cluster).restart(),
  },
  {
    target: 'gateway',
    fault: 'SIGSTOP past its lease, and back',
    plan: onPostgres,
    lastsMs: PAST_ITS_LEASE_MS,
    serving: 'some',
    strike: (cluster) => firstOf(cluster).current().signal('SIGSTOP'),
    heal: (cluster) => firstOf(cluster).current().signal('SIGCONT'),
  },
  clockMoved('gateway', 'clock an hour ahead', onPostgres, HOUR_MS, 'every', firstOf),
  // To the others its leases have expired before it has them; they are swept, and it refuses what it cannot record.
  clockMoved('gateway', 'clock an hour behind', onPostgres, -HOUR_MS, 'some', firstOf),
];

/** The fault matrix. */
export const CELLS: readonly Cell[] = [
  ...postgresCells,
  ...redisCells,
  ...embeddedCells,
  ...eventStoreCells,
  ...gatewayCells,
  ...kafkaCells,
  ...roleCells,
];

/** A few that are quick, for every day. */
export const QUICK: readonly Cell[] = CELLS.filter(({ target, fault }) =>
  ['PostgreSQL frozen', 'PostgreSQL connection refused', 'gateway kill -9'].includes(`${target} ${fault}`),
);
