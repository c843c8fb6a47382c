import 'reflect-metadata';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Container, type ResolutionContext, type ServiceIdentifier } from 'inversify';
import pg from 'pg';
import { APPEND_QUEUE_LIMITS, createAppendQueue } from '../../commands/append-queue.ts';
import { AccountBook } from '../../commands/ledger/account-book.ts';
import { LeaseKeeper } from '../../commands/ledger/lease-keeper.ts';
import { DEFAULT_LEASE_POLICY } from '../../commands/ledger/lease-policy.ts';
import { LeaseSweeper } from '../../commands/ledger/lease-sweeper.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import { startSandbox } from '../../gateways/sandbox/sandbox-server.ts';
import { CallsInFlight } from '../../gateways/relay/calls-in-flight.ts';
import { PositionBoard } from '../../projections/engine/position-board.ts';
import { Projector } from '../../projections/engine/projector.ts';
import { projections, projectionsBySource } from '../../projections/registry.ts';
import type { Config } from '../../schemas/config.ts';
import { eventsTopic } from '../bridge/bridge-topics.ts';
import { openBlobs } from '../blobs/open-blobs.ts';
import { systemClock } from '../clock.ts';
import { blaming, fromSetting } from '../config/unusable.ts';
import { apiKeys } from '../crypto/api-key.ts';
import { loadMasterKey } from '../crypto/master-key.ts';
import { argon2Passwords } from '../crypto/passwords.ts';
import { secretBox } from '../crypto/secret-box.ts';
import { sessionTokens } from '../crypto/session-tokens.ts';
import { createEgressGuard, type EgressGuard } from '../egress/guard.ts';
import { parseEgressPolicy } from '../egress/policy.ts';
import { migrateEventLog } from '../event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../event-log/postgres/open-postgres-log.ts';
import { openSqliteLog } from '../event-log/sqlite/open-sqlite-log.ts';
import { dataPaths, openDataDirectory } from '../home/data-directory.ts';
import { refuseLostLog } from '../home/lost-log.ts';
import { timeSortedIds } from '../ids.ts';
import { createProgramLog, type ProgramLog } from '../logging/logger.ts';
import { durableTimes } from '../metrics/durable-times.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { openRedis } from '../redis/open-redis.ts';
import { redisMetrics } from '../redis/redis-metrics.ts';
import { openReadModels } from '../read-models/read-models.ts';
import { createPictureSource } from '../pictures/picture-source.ts';
import { createTokenCounter } from '../token-counter/token-counter.ts';
import { withSigning } from '../signing/signing-upstream.ts';
import { withSockets } from '../sockets/socket-upstream.ts';
import { wsFrameSockets } from '../sockets/ws-frame-sockets.ts';
import { createUpstreamPools } from '../upstream/upstream-pools.ts';
import { withWork } from '../upstream/working-upstream.ts';
import { armedFailpoint } from '../server/armed-failpoint.ts';
import { isSandboxOn } from '../server/first-run-settings.ts';
import { tellOfProjector } from '../server/projector-news.ts';
import { directoryStore } from '../exports/directory-store.ts';
import { openFileDesk } from '../files/open-file-desk.ts';
import { openTaskDesk } from '../tasks/open-task-desk.ts';
import { LateEmbedder } from '../vectors/late-embedder.ts';
import { openVectors } from '../vectors/open-vectors.ts';
import type { WorkerRecords } from '../workers/worker-records.ts';
import { openWorkers } from '../workers/open-workers.ts';
import { recordExhaustion } from '../server/record-health.ts';
import { services } from './identifiers.ts';

/** Names this process in leases and in the events that it causes. */
const processName = `${hostname().slice(0, 40)}-${process.pid}-${timeSortedIds.next('p').slice(-6)}`;

const migrated = async (connectionString: string): Promise<void> => {
  const client = new pg.Client({ connectionString, application_name: 'oblivious migration', connectionTimeoutMillis: 10_000 });
  // The statement that runs is told as well; without a listener the error would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await migrateEventLog(client);
  } finally {
    await client.end();
  }
};

const openLog = async (config: Config, directory: ReturnType<typeof dataPaths>, programLog: ProgramLog): Promise<EventLog> => {
  const onFault = ({ what, error }: { what: string; error: Error }): void => programLog.warn('the event log had a fault', { what, error });
  const { EVENTSTORE_URL: eventStore, DATABASE_URL: database, OBLIVIOUS_LOG_POOL: readConnections } = config;
  if (eventStore !== undefined) {
    // Loaded where it is used only: the client and its protocol are a large part of a small process.
    const { openEventStoreLog } = await import('../event-log/eventstoredb/open-eventstore-log.ts');
    return fromSetting('EVENTSTORE_URL', eventStore, () => openEventStoreLog({ connectionString: eventStore, onFault }));
  }
  if (database === undefined) {
    refuseLostLog(directory);
    return blaming(directory.eventLogFile, () => openSqliteLog({ file: directory.eventLogFile, onFault }));
  }
  return fromSetting('DATABASE_URL', database, async () => {
    await migrated(database);
    return openPostgresLog({ connectionString: database, readConnections, onFault });
  });
};

export interface ContainerOptions {
  /** Whatever started this process holds the data directory for it and its siblings. */
  readonly sharesDataDirectory?: boolean;
}

/**
 * The composition root: what each service is made of. Everything is made once, when first asked for; nothing runs by itself
 * until the server starts it. Only this folder knows of the container: every service can be built in a test with `new`.
 */
export const createContainer = (config: Config, { sharesDataDirectory = false }: ContainerOptions = {}): Container => {
  const container = new Container({ defaultScope: 'Singleton' });
  const bind = <Service>(identifier: ServiceIdentifier<Service>, make: (context: ResolutionContext) => Service | Promise<Service>): void =>
    void container.bind<Service>(identifier).toDynamicValue(make).inSingletonScope();

  const bySource = projectionsBySource(config.KAFKA_BROKERS !== undefined);
  container.bind(services.config).toConstantValue(config);
  container.bind(services.processName).toConstantValue(processName);
  bind(services.programLog, () => createProgramLog({ level: config.OBLIVIOUS_LOG_LEVEL, accessLog: config.OBLIVIOUS_ACCESS_LOG }));
  bind(services.dataDirectory, () =>
    sharesDataDirectory
      ? { ...dataPaths(resolve(config.OBLIVIOUS_HOME)), release: () => undefined }
      : openDataDirectory(config.OBLIVIOUS_HOME),
  );
  bind(services.requestLogger, (context) => {
    const programLog = context.get(services.programLog);
    return { log: programLog.request };
  });
  bind(services.metrics, () => createMetrics());
  bind(services.failpoints, () => armedFailpoint(config.OBLIVIOUS_FAILPOINT));
  bind(services.callsInFlight, () => new CallsInFlight());

  bind(services.redis, (context) =>
    config.REDIS_URL === undefined
      ? null
      : openRedis({
          config,
          processName,
          programLog: context.get(services.programLog),
          metrics: redisMetrics(context.get(services.metrics).registry),
        }),
  );

  bind(services.tokenCounter, () => createTokenCounter());
  bind(services.sandbox, () => (isSandboxOn(config) ? startSandbox() : null));
  bind(services.upstreamPools, (context) => {
    const guard = context.get(services.egressGuard);
    return withWork(withSigning(withSockets(createUpstreamPools({ guard }), wsFrameSockets({ guard })), { clock: systemClock }));
  });

  bind(services.masterKey, async (context) =>
    loadMasterKey({ environmentKey: config.OBLIVIOUS_MASTER_KEY, file: (await context.getAsync(services.dataDirectory)).masterKeyFile }),
  );
  bind(services.secretBox, async (context) => secretBox(await context.getAsync(services.masterKey)));
  bind(services.apiKeys, async (context) => apiKeys(await context.getAsync(services.masterKey)));
  bind(services.sessionTokens, async (context) => sessionTokens(await context.getAsync(services.masterKey)));
  bind(services.passwords, () => argon2Passwords());
  const guardOf = (allowed: string): EgressGuard => {
    const policy = parseEgressPolicy(allowed);
    if (policy === null) throw new Error('the egress policy was checked when the configuration was read');
    return createEgressGuard(policy);
  };
  bind(services.egressGuard, () => guardOf(config.OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS));
  bind(services.pictures, () =>
    config.OBLIVIOUS_FETCH_IMAGES === 'off'
      ? null
      : createPictureSource({
          guard: guardOf(config.OBLIVIOUS_ALLOW_PRIVATE_IMAGES),
          allowsHttp: config.OBLIVIOUS_FETCH_IMAGES === 'http',
        }),
  );
  bind(services.hookGuard, () => guardOf(config.OBLIVIOUS_ALLOW_PRIVATE_HOOKS));

  bind(services.eventLog, async (context) =>
    openLog(config, await context.getAsync(services.dataDirectory), context.get(services.programLog)),
  );
  bind(services.appendQueue, async (context) =>
    createAppendQueue(await context.getAsync(services.eventLog), { ...APPEND_QUEUE_LIMITS, appends: config.OBLIVIOUS_APPEND_QUEUE }),
  );

  bind(
    services.accountBook,
    async (context) => new AccountBook(await context.getAsync(services.eventLog), await context.getAsync(services.appendQueue)),
  );
  bind(services.leaseSweeper, async (context) => {
    const [log, appender, book] = await Promise.all([
      context.getAsync(services.eventLog),
      context.getAsync(services.appendQueue),
      context.getAsync(services.accountBook),
    ]);
    return new LeaseSweeper({ log, appender, book, clock: systemClock, sweeper: processName });
  });
  bind(services.leaseKeeper, async (context) => {
    const [log, appender, book] = await Promise.all([
      context.getAsync(services.eventLog),
      context.getAsync(services.appendQueue),
      context.getAsync(services.accountBook),
    ]);
    return new LeaseKeeper({
      book,
      appender,
      clock: systemClock,
      ids: timeSortedIds,
      holder: processName,
      policy: {
        ...DEFAULT_LEASE_POLICY,
        admitsForMs: config.OBLIVIOUS_LEASE_SECONDS * 1_000,
        graceMs: config.OBLIVIOUS_LEASE_GRACE_SECONDS * 1_000,
      },
      failpoints: context.get(services.failpoints),
      times: durableTimes(context.get(services.metrics).durable),
      isLogStuck: () => appender.isStuck(),
      onKeyExhausted: recordExhaustion({
        log,
        appender,
        ids: timeSortedIds,
        clock: systemClock,
        programLog: context.get(services.programLog),
      }),
    });
  });

  bind(services.taskDesk, async (context) => {
    const [log, appender, book, secrets, readModels, sandbox] = await Promise.all([
      context.getAsync(services.eventLog),
      context.getAsync(services.appendQueue),
      context.getAsync(services.accountBook),
      context.getAsync(services.secretBox),
      context.getAsync(services.readModels),
      context.getAsync(services.sandbox),
    ]);
    return openTaskDesk({
      log,
      appender,
      book,
      secrets,
      database: readModels.database,
      upstream: context.get(services.upstreamPools),
      hookEgress: context.get(services.hookGuard),
      clock: systemClock,
      ids: timeSortedIds,
      sandboxUrl: () => sandbox?.baseUrl ?? null,
    });
  });
  bind(services.blobs, async (context) => {
    const [secretBox, { blobFile }] = await Promise.all([context.getAsync(services.secretBox), context.getAsync(services.dataDirectory)]);
    return blaming(blobFile, () => openBlobs({ config, file: blobFile, secretBox }));
  });
  bind(services.fileDesk, async (context) => {
    const [log, appender, book, secrets, readModels, sandbox, { blobs }] = await Promise.all([
      context.getAsync(services.eventLog),
      context.getAsync(services.appendQueue),
      context.getAsync(services.accountBook),
      context.getAsync(services.secretBox),
      context.getAsync(services.readModels),
      context.getAsync(services.sandbox),
      context.getAsync(services.blobs),
    ]);
    return openFileDesk({
      blobs,
      log,
      appender,
      book,
      secrets,
      database: readModels.database,
      upstream: context.get(services.upstreamPools),
      clock: systemClock,
      ids: timeSortedIds,
      sandboxUrl: () => sandbox?.baseUrl ?? null,
    });
  });

  bind(services.lateEmbedder, () => new LateEmbedder());
  bind(services.vectors, async (context) => {
    const [log, appender, readModels, { blobs }] = await Promise.all([
      context.getAsync(services.eventLog),
      context.getAsync(services.appendQueue),
      context.getAsync(services.readModels),
      context.getAsync(services.blobs),
    ]);
    return openVectors({
      log,
      appender,
      blobs,
      database: readModels.database,
      embedder: context.get(services.lateEmbedder),
      clock: systemClock,
      ids: timeSortedIds,
      usualModel: config.OBLIVIOUS_VECTOR_MODEL ?? null,
      search: { report: (error) => context.get(services.programLog).warn('the index of vectors failed', { error }) },
    });
  });
  bind(services.workers, async (context) => {
    const [log, appender, readModels, board, directory, desk, vectors] = await Promise.all([
      context.getAsync(services.eventLog),
      context.getAsync(services.appendQueue),
      context.getAsync(services.readModels),
      context.getAsync(services.positionBoard),
      context.getAsync(services.dataDirectory),
      context.getAsync(services.taskDesk),
      context.getAsync(services.vectors),
    ]);
    const { KAFKA_BROKERS: brokers } = config;
    const programLog = context.get(services.programLog);
    const openRecords = async (addresses: string): Promise<WorkerRecords> => {
      // Loaded where they are used only, as the event store's client is.
      const [{ openKafka }, { KafkaRecords }] = await Promise.all([import('../kafka/open-kafka.ts'), import('../kafka/records.ts')]);
      const kafka = openKafka({ ...config, KAFKA_BROKERS: addresses }, programLog);
      return {
        records: new KafkaRecords({ kafka, programLog, replicas: config.KAFKA_REPLICAS }),
        events: eventsTopic(config),
        prefix: config.KAFKA_TOPIC_PREFIX,
      };
    };
    return openWorkers({
      kafka: brokers === undefined ? null : await openRecords(brokers),
      config,
      log,
      appender,
      database: readModels.database,
      board,
      vectorWorkers: vectors.workers,
      exportStore: directoryStore(config.OBLIVIOUS_EXPORT_DIRECTORY ?? directory.exportDirectory),
      desk,
      guard: context.get(services.egressGuard),
      hookGuard: context.get(services.hookGuard),
      processName,
      programLog: context.get(services.programLog),
      counted: context.get(services.metrics).worked,
    });
  });

  bind(services.readModels, async (context) => {
    if (config.DATABASE_URL !== undefined)
      return openReadModels({ kind: 'postgres', connectionString: config.DATABASE_URL, max: config.OBLIVIOUS_DATABASE_POOL });
    const programLog = context.get(services.programLog);
    const { readModelDirectory } = await context.getAsync(services.dataDirectory);
    return openReadModels({
      kind: 'pglite',
      directory: readModelDirectory,
      report: ({ kind, reason }) =>
        programLog.warn(
          kind === 'damaged'
            ? 'the read models are damaged and are made again from the log'
            : 'the read models’ database stopped and is started again',
          { reason },
        ),
    });
  });
  bind(
    services.positionBoard,
    async (context) =>
      new PositionBoard({ database: (await context.getAsync(services.readModels)).database, projections, awaited: bySource.log }),
  );
  bind(services.projector, async (context) => {
    const [feed, readModels, board] = await Promise.all([
      context.getAsync(services.eventLog),
      context.getAsync(services.readModels),
      context.getAsync(services.positionBoard),
    ]);
    return new Projector({
      feed,
      database: readModels.database,
      projections: bySource.log,
      board,
      clock: systemClock,
      report: tellOfProjector(context.get(services.programLog)),
    });
  });
  bind(services.recordsProjector, async (context) => {
    const { KAFKA_BROKERS: brokers } = config;
    if (brokers === undefined) return null;
    const [feed, readModels, board] = await Promise.all([
      context.getAsync(services.eventLog),
      context.getAsync(services.readModels),
      context.getAsync(services.positionBoard),
    ]);
    // Loaded where it is used only, as the event store's client is.
    const { openRecordsProjector } = await import('../kafka/open-records-projector.ts');
    return openRecordsProjector({
      config: { ...config, KAFKA_BROKERS: brokers },
      feed,
      database: readModels.database,
      projections: bySource.kafka,
      board,
      processName,
      programLog: context.get(services.programLog),
    });
  });
  return container;
};
