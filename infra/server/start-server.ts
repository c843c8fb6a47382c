import { setTimeout as pause } from 'node:timers/promises';
import express from 'express';
import { initialise, type FirstRun } from '../../commands/installation/initialise.ts';
import { notServed } from '../../gateways/operations/not-served.ts';
import { createProbesRouter } from '../../gateways/operations/probes.ts';
import { useVersion } from '../../gateways/operations/use-version.ts';
import type { Config } from '../../schemas/config.ts';
import { isRefusal } from '../../schemas/errors.ts';
import { SERVING_ROLES } from '../../schemas/roles.ts';
import { systemClock } from '../clock.ts';
import { createContainer } from '../container/create-container.ts';
import { services } from '../container/identifiers.ts';
import { operatorToken } from '../crypto/operator-token.ts';
import { writeOperatorFile } from '../home/operator-file.ts';
import { createHttpServer } from '../http/http-server.ts';
import { timeSortedIds } from '../ids.ts';
import type { Supervised } from '../processes/supervised.ts';
import { startTracing } from '../tracing/start-tracing.ts';
import { firstRunSettings } from './first-run-settings.ts';
import { writeFirstRun } from './first-run.ts';
import type { RoleContext } from './role-context.ts';
import { refuseOtherKey } from './refuse-other-key.ts';
import { bridge } from './roles/bridge.ts';
import { serveConsole } from './roles/console.ts';
import { project, readModelsCaughtUp, readModelsThere } from './roles/project.ts';
import { relay, type RelayRole } from './roles/relay.ts';
import { sweep } from './roles/sweep.ts';
import { work } from './roles/work.ts';
import { startingGate } from './starting-gate.ts';

export interface StopOptions {
  /** How long idle connections are kept for a request that is on its way already. */
  readonly lingerMs: number;
  /** Go on taking new connections meanwhile: nobody else listens on this port. */
  readonly listening: boolean;
}

export interface RunningServer {
  readonly url: string;
  readonly home: string;
  /** Known at the very first start only. */
  readonly firstRun: FirstRun | null;
  /** Lets streams in flight end, gives leases back, and closes everything. */
  stop(options?: Partial<StopOptions>): Promise<void>;
}

/** The address under which this machine reaches the server. */
const localUrlOf = (config: Config, port: number): string => {
  const host = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

/** Makes a new installation ready to use, in one process of all that may be starting. */
const makeReady = async ({ container, config, url }: RoleContext): Promise<FirstRun | null> => {
  const directory = await container.getAsync(services.dataDirectory);
  const board = await container.getAsync(services.positionBoard);
  const initialised = await initialise(
    {
      log: await container.getAsync(services.eventLog),
      appender: await container.getAsync(services.appendQueue),
      book: await container.getAsync(services.accountBook),
      passwords: container.get(services.passwords),
      secretBox: await container.getAsync(services.secretBox),
      apiKeys: await container.getAsync(services.apiKeys),
      egress: container.get(services.egressGuard),
      clock: systemClock,
      ids: timeSortedIds,
      alone: config.DATABASE_URL === undefined,
      wait: (ms) => pause(ms),
      reveal: ({ apiKey, adminEmail, adminPassword }) =>
        writeFirstRun(directory.firstRunFile, { baseUrl: url, apiKey, adminEmail, adminPassword }),
    },
    await firstRunSettings(config),
  );
  if (isRefusal(initialised)) throw new Error(`the first start failed: ${initialised.message}`);
  if (initialised === 'already initialised') return null;
  if (initialised.position !== null) await board.waitFor('all', initialised.position, 30_000);
  return initialised;
};

/**
 * Starts one process with the roles that the configuration names: takes the data directory, opens the log and the read models, and
 * begins one role after another: those in the background first, then those that answer callers.
 *
 * @param supervised Where this is one of several processes that share a port and a data directory: the link to what started it.
 * @throws `DataDirectoryInUse`, `MasterKeyRefused`, and what the log or the port had against it.
 */
export const startServer = async (config: Config, version: string, supervised: Supervised | null = null): Promise<RunningServer> => {
  const container = createContainer(config, { sharesDataDirectory: supervised !== null });
  const programLog = container.get(services.programLog);
  const metrics = container.get(services.metrics);
  const inFlight = container.get(services.callsInFlight);
  const roles = config.OBLIVIOUS_ROLES;
  const serving = roles.some((role) => SERVING_ROLES.includes(role));
  const stopping = new AbortController();
  /** What has been opened, to be closed in the opposite order. */
  const closers: (() => Promise<unknown> | void)[] = [() => programLog.flushSync()];
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
  supervised?.countBy(metrics.snapshot);

  try {
    const directory = await container.getAsync(services.dataDirectory);
    closers.push(() => directory.release());
    const tracing = await startTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT, version);
    closers.push(() => tracing.stop());

    const app = express();
    app.set('trust proxy', config.OBLIVIOUS_TRUST_PROXY);
    const newRequestId = (): string => timeSortedIds.next('req');
    const gate = startingGate(newRequestId);
    app.use(gate.first);
    const { contentType, render } = metrics;
    app.use(
      createProbesRouter({
        notReady: () => [...notReady],
        metrics: { contentType, render: supervised === null ? render : () => supervised.renderMetrics() },
        metricsToken: config.OBLIVIOUS_METRICS_TOKEN,
      }),
    );
    app.use(gate.last);
    const http = createHttpServer({
      app,
      ids: timeSortedIds,
      headersMs: config.OBLIVIOUS_HEADERS_SECONDS * 1_000,
      requestMs: config.OBLIVIOUS_REQUEST_SECONDS * 1_000,
      headerBytes: config.OBLIVIOUS_HEADER_BYTES,
      headers: config.OBLIVIOUS_HEADERS,
      connections: config.OBLIVIOUS_CONNECTIONS,
      connectionsPerAddress: config.OBLIVIOUS_CONNECTIONS_PER_ADDRESS ?? null,
      failed: (error, requestId) => programLog.error('a request failed', { error, requestId }),
    });
    // Behind a supervisor the port belongs to those who answer callers, and to none before it can: others answer already. The supervisor
    // asks every process for its metrics itself.
    const listens = supervised === null || serving;
    const port = supervised === null ? await http.listen(config.PORT, config.HOST) : config.PORT;
    const localUrl = listens ? localUrlOf(config, port) : '';
    const url = config.OBLIVIOUS_PUBLIC_URL?.replace(/\/$/, '') ?? localUrl;
    closers.push(() => http.closeAll());
    if (listens) {
      const token = operatorToken(await container.getAsync(services.masterKey));
      await writeOperatorFile(directory.operatorFile, { baseUrl: localUrl, token });
    }

    const log = await container.getAsync(services.eventLog);
    closers.push(() => log.close());
    const refuseOtherMasterKey = async (): Promise<void> => {
      const whence = config.OBLIVIOUS_MASTER_KEY === undefined ? directory.masterKeyFile : 'OBLIVIOUS_MASTER_KEY';
      await refuseOtherKey(log, await container.getAsync(services.masterKey), whence);
    };
    await refuseOtherMasterKey();
    const appender = await container.getAsync(services.appendQueue);
    closers.push(() => appender.close());
    metrics.observe({ appendQueue: () => appender.stats(), droppedLogLines: programLog.dropped });
    const readModels = await container.getAsync(services.readModels);
    closers.push(() => readModels.close());
    const blobs = await container.getAsync(services.blobs);
    closers.push(() => blobs.close());
    const sandbox = await container.getAsync(services.sandbox);
    closers.push(() => sandbox?.close());
    const upstream = container.get(services.upstreamPools);
    closers.push(() => upstream.close());
    const redis = await container.getAsync(services.redis);
    closers.push(() => redis?.close());
    if (roles.includes('worker') || roles.includes('console')) {
      const workers = await container.getAsync(services.workers);
      closers.push(() => workers.close());
    }

    const failed = (what: string) => (error: unknown) => programLog.error(`${what} failed and is tried again`, { error });
    const context: RoleContext = {
      container,
      config,
      version,
      roles,
      url,
      app,
      stopping: stopping.signal,
      notReady,
      onClose: (close) => void closers.push(close),
      failed,
    };

    /** Where no calls are answered it begins when a worker has something to embed. */
    let relaying: Promise<RelayRole> | null = null;
    const beginRelay = (): Promise<RelayRole> =>
      (relaying ??= relay(context).catch((error: unknown) => {
        relaying = null;
        throw error;
      }));
    container.get(services.lateEmbedder).beginBy(async () => (await beginRelay()).embedder);

    if (roles.includes('projector')) await project(context);
    // A process that only works in the background is of use before the read models are: it may be the one that they wait for.
    if (roles.includes('projector') && serving) await readModelsCaughtUp(context);
    else if (roles.includes('console') || roles.includes('sweeper')) await readModelsThere(context);
    if (roles.includes('sweeper')) await sweep(context);
    if (roles.includes('worker')) await work(context);
    if (roles.includes('bridge')) await bridge(context);
    const firstRun = serving ? await makeReady(context) : null;
    // Another process may have made the first start meanwhile.
    if (firstRun === null) await refuseOtherMasterKey();
    const relayed: RelayRole | null = roles.includes('relay') ? await beginRelay() : null;
    if (roles.includes('console')) await serveConsole(context, relayed?.sight ?? null);
    app.use(notServed(newRequestId));

    notReady.delete('starting');
    gate.open((request, response, next) => {
      useVersion(request);
      if (relayed === null) next();
      else void relayed.calls(request, response, next);
    });
    if (relayed !== null) {
      http.takeRequests(relayed.calls.takeCall);
      http.takeUpgrades(relayed.takeUpgrade);
    }
    if (supervised !== null && serving) await http.listen(config.PORT, config.HOST);
    programLog.info('ready', { url, roles, profile: config.DATABASE_URL === undefined ? 'embedded' : 'server', version });

    const stop = async ({
      lingerMs = config.OBLIVIOUS_LINGER_SECONDS * 1_000,
      listening = true,
    }: Partial<StopOptions> = {}): Promise<void> => {
      notReady.add('shutting down');
      programLog.info('shutting down', { callsInFlight: inFlight.size });
      if (lingerMs > 0 && listening) {
        http.closeAfterAnswers();
        await pause(lingerMs);
      }
      const closed = http.close(listening ? 0 : lingerMs);
      if (!listening) await Promise.race([closed, pause(lingerMs)]);
      await inFlight.drain(config.OBLIVIOUS_SHUTDOWN_SECONDS * 1_000);
      stopping.abort();
      await (await relaying)?.giveLeasesBack();
      await Promise.race([closed, pause(1_000)]);
      await closeAll();
    };
    return { url, home: directory.path, firstRun, stop };
  } catch (error) {
    await closeAll();
    throw error;
  }
};
