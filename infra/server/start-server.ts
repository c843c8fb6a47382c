import { setTimeout as pause } from 'node:timers/promises';
import express from 'express';
import { initialise, type FirstRun } from '../../commands/installation/initialise.ts';
import { createProbesRouter } from '../../gateways/operations/probes.ts';
import { useVersion } from '../../gateways/operations/use-version.ts';
import { createRelayRouter } from '../../gateways/relay/relay-router.ts';
import { unsettledLeases } from '../../projections/account-balances/queries.ts';
import type { Config } from '../../schemas/config.ts';
import { isRefusal } from '../../schemas/errors.ts';
import { systemClock } from '../clock.ts';
import { bindGateways } from '../container/bind-gateways.ts';
import { createContainer } from '../container/create-container.ts';
import { services } from '../container/identifiers.ts';
import { operatorToken } from '../crypto/operator-token.ts';
import { writeOperatorFile } from '../home/operator-file.ts';
import { createHttpServer } from '../http/http-server.ts';
import { timeSortedIds } from '../ids.ts';
import { openWorkers } from '../workers/open-workers.ts';
import { startTracing } from '../tracing/start-tracing.ts';
import { every } from './every.ts';
import { firstRunSettings } from './first-run-settings.ts';
import { writeFirstRun } from './first-run.ts';
import { followAccounts } from './follow-accounts.ts';
import { startingGate } from './starting-gate.ts';
import { usageRetention } from './usage-retention.ts';

export interface RunningServer {
  readonly url: string;
  readonly home: string;
  /** Known at the very first start only. */
  readonly firstRun: FirstRun | null;
  /** Lets streams in flight end, gives leases back, and closes everything. */
  stop(): Promise<void>;
}

/** How often leases are looked after, and how often the dead ones of others are looked for. */
const TICK_MS = 1_000;
const SWEEP_MS = 5_000;

/** How often partitions are made ahead and dropped. */
const RETENTION_MS = 3_600_000;

/** How long a start waits for read models to catch up between two looks at whether it was told to stop. */
const CATCH_UP_LOOK_MS = 1_000;

/** The address under which this machine reaches the server. */
const localUrlOf = (config: Config, port: number): string => {
  const host = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

/**
 * Starts everything in one process: takes the data directory, opens the log, brings the read models up to date, ends what a
 * predecessor left, makes a new installation ready, and serves.
 *
 * @throws `DataDirectoryInUse`, `MasterKeyRefused`, and what the log or the port had against it.
 */
export const startServer = async (config: Config, version: string): Promise<RunningServer> => {
  const container = createContainer(config);
  const programLog = container.get(services.programLog);
  const metrics = container.get(services.metrics);
  const inFlight = container.get(services.callsInFlight);
  const stopping = new AbortController();
  /** What has been opened, to be closed in the opposite order. */
  const closers: (() => Promise<void> | void)[] = [() => programLog.flushSync()];
  const closeAll = async (): Promise<void> => {
    stopping.abort();
    for (const close of closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        programLog.warn('something did not close in order', { error });
      }
    }
  };
  const notReady = new Set(['starting']);

  try {
    const directory = await container.getAsync(services.dataDirectory);
    closers.push(() => directory.release());
    const tracing = startTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT, version);
    closers.push(() => tracing.stop());

    const app = express();
    app.set('trust proxy', config.OBLIVIOUS_TRUST_PROXY);
    const gate = startingGate();
    app.use(gate.first);
    app.use(createProbesRouter({ notReady: () => [...notReady], metrics, metricsToken: config.OBLIVIOUS_METRICS_TOKEN }));
    app.use(gate.last);
    const http = createHttpServer({ app, ids: timeSortedIds });
    const localUrl = localUrlOf(config, await http.listen(config.PORT, config.HOST));
    const url = config.OBLIVIOUS_PUBLIC_URL?.replace(/\/$/, '') ?? localUrl;
    closers.push(() => http.closeAll());
    const token = operatorToken(await container.getAsync(services.masterKey));
    await writeOperatorFile(directory.operatorFile, { baseUrl: localUrl, token });

    const log = await container.getAsync(services.eventLog);
    closers.push(() => log.close());
    const appender = await container.getAsync(services.appendQueue);
    closers.push(() => appender.close());

    const readModels = await container.getAsync(services.readModels);
    closers.push(() => readModels.close());
    const projecting = new AbortController();
    const board = await container.getAsync(services.positionBoard);
    const projector = await container.getAsync(services.projector);
    const projected = projector.run(projecting.signal);
    closers.push(() => {
      projecting.abort();
      return projected;
    });
    const head = await log.head();
    while (!(await board.waitFor('all', head, CATCH_UP_LOOK_MS)));

    const sweeper = await container.getAsync(services.leaseSweeper);
    const sweep = async (holdersAreDead: boolean): Promise<void> => {
      const report = await sweeper.sweep(await unsettledLeases(readModels.database), { holdersAreDead });
      if (report.closed + report.settled > 0) programLog.warn('ended what a dead process left', { ...report });
    };
    // Alone on an embedded log, everything that is open was left by a process that is gone.
    await sweep(config.DATABASE_URL === undefined);

    const deps = {
      log,
      appender,
      book: await container.getAsync(services.accountBook),
      passwords: container.get(services.passwords),
      secretBox: await container.getAsync(services.secretBox),
      apiKeys: await container.getAsync(services.apiKeys),
      egress: container.get(services.egressGuard),
      clock: systemClock,
      ids: timeSortedIds,
    };
    const reveal = ({ apiKey, adminEmail, adminPassword }: FirstRun): Promise<void> =>
      writeFirstRun(directory.firstRunFile, { baseUrl: url, apiKey, adminEmail, adminPassword });
    const initialised = await initialise(
      { ...deps, alone: config.DATABASE_URL === undefined, wait: (ms) => pause(ms), reveal },
      await firstRunSettings(config),
    );
    if (isRefusal(initialised)) throw new Error(`the first start failed: ${initialised.message}`);
    const firstRun = initialised === 'already initialised' ? null : initialised;
    if (firstRun !== null && firstRun.position !== null) await board.waitFor('all', firstRun.position, 30_000);

    const keeper = await container.getAsync(services.leaseKeeper);
    const workers = openWorkers({
      config,
      log,
      appender,
      database: readModels.database,
      guard: deps.egress,
      processName: container.get(services.processName),
      programLog,
      counted: metrics.worked,
    });
    closers.push(() => workers.close());
    const gateways = await bindGateways({
      container,
      config,
      version,
      url,
      workers: workers.care,
      stopping: stopping.signal,
      notReady,
    });
    closers.push(() => gateways.close());
    const relay = createRelayRouter(gateways.relay);
    for (const router of gateways.routers) app.use(router);

    const failed = (what: string) => (error: unknown) => programLog.error(`${what} failed and is tried again`, { error });
    const keepUsage = usageRetention({ database: readModels.database, days: config.OBLIVIOUS_USAGE_RETENTION_DAYS, programLog });
    void keepUsage().catch(failed('the care of partitions'));
    const timers = [
      every(TICK_MS, () => keeper.tick(), failed('the care of leases')),
      every(SWEEP_MS, () => sweep(false), failed('the sweep')),
      every(RETENTION_MS, keepUsage, failed('the care of partitions')),
    ];
    closers.push(async () => void (await Promise.all(timers.map((stop) => stop()))));
    const working = new AbortController();
    const worked = workers.run(working.signal);
    closers.push(() => {
      working.abort();
      return worked;
    });
    void followAccounts(log, (event) => keeper.onAccountEvent(event), stopping.signal).catch(failed('following the accounts'));
    metrics.observe({
      ledger: () => keeper.stats(),
      appendQueue: () => appender.stats(),
      projections: gateways.projectionLag,
      workers: () =>
        workers.latest().map(({ name, position, head: end, lagMs, waiting, parked }) => ({
          name,
          lagEvents: lagMs === 0 ? 0 : Number(BigInt(end) - BigInt(position)),
          lagSeconds: lagMs / 1_000,
          waiting,
          parked,
        })),
      droppedLogLines: programLog.dropped,
    });

    notReady.delete('starting');
    gate.open((request, response, next) => {
      useVersion(request);
      void relay(request, response, next);
    });
    programLog.info('ready', { url, profile: config.DATABASE_URL === undefined ? 'embedded' : 'server', version });

    const stop = async (): Promise<void> => {
      notReady.add('shutting down');
      programLog.info('shutting down', { callsInFlight: inFlight.size });
      const closed = http.close();
      await inFlight.drain(config.OBLIVIOUS_SHUTDOWN_SECONDS * 1_000);
      stopping.abort();
      await keeper.stop();
      await Promise.race([closed, pause(1_000)]);
      await closeAll();
    };
    return { url, home: directory.path, firstRun, stop };
  } catch (error) {
    await closeAll();
    throw error;
  }
};
