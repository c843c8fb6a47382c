import { fileURLToPath } from 'node:url';
import { trace } from '@opentelemetry/api';
import type { Router } from 'express';
import type { Container } from 'inversify';
import { claimIdempotencyKey } from '../../commands/calls/claim-idempotency-key.ts';
import { createConsole } from '../../gateways/console/create-console.ts';
import { loadUiFiles } from '../../gateways/console/ui-files.ts';
import type { WorkerCare } from '../../gateways/ports/worker-care.ts';
import type { RelayDeps } from '../../gateways/relay/relay-deps.ts';
import { Directory } from '../../projections/directory/directory.ts';
import { projections } from '../../projections/registry.ts';
import type { Config } from '../../schemas/config.ts';
import { isRefusal } from '../../schemas/errors.ts';
import { systemClock } from '../clock.ts';
import { createKeyStandings } from '../console-reads/key-standings.ts';
import { openConsoleReads } from '../console-reads/open-console-reads.ts';
import { showConfig } from '../config/read-config.ts';
import { services } from './identifiers.ts';
import { operatorToken } from '../crypto/operator-token.ts';
import { timeSortedIds } from '../ids.ts';
import type { Observed } from '../metrics/metrics.ts';
import { timedSpending } from '../metrics/timed-spending.ts';
import { SharedLimits } from '../../gateways/relay/shared-limits.ts';
import { redisLimitPool } from '../redis/limit-pool.ts';
import { every } from '../server/every.ts';
import { isSandboxOn } from '../server/first-run-settings.ts';
import { projectionLag } from '../server/projection-lag.ts';
import { recordHealth } from '../server/record-health.ts';
import { relayLimits } from '../server/relay-limits.ts';
import { stopwatch } from '../server/stopwatch.ts';

export interface BindGatewaysOptions {
  readonly container: Container;
  readonly config: Config;
  readonly version: string;
  readonly url: string;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  readonly workers: WorkerCare;
  /** Reasons not to be sent calls; kept up to date. */
  readonly notReady: Set<string>;
}

export interface BoundGateways {
  readonly relay: RelayDeps;
  /** Everything else that answers HTTP, in the order in which it is asked. */
  readonly routers: readonly Router[];
  readonly projectionLag: Observed['projections'];
  close(): Promise<void>;
}

/** The built console stands beside the built server; the sources find it there too. */
const UI_FOLDER = fileURLToPath(new URL(import.meta.url.includes('/dist/infra/') ? '../../ui' : '../../dist/ui', import.meta.url));

const STALE = 'the directory of keys and channels is behind the log';

/** How often it is looked at how far the read models are. */
const LAG_MS = 5_000;

/** What the gateways are made of. Resolves once the directory knows the whole log. */
export const bindGateways = async ({
  container,
  config,
  version,
  url,
  workers,
  notReady,
  stopping,
}: BindGatewaysOptions): Promise<BoundGateways> => {
  const programLog = container.get(services.programLog);
  const metrics = container.get(services.metrics);
  const [log, appender, readModels, keeper, secretBox, apiKeys, sandbox, masterKey, book, board, sessionTokens, redis] = await Promise.all([
    container.getAsync(services.eventLog),
    container.getAsync(services.appendQueue),
    container.getAsync(services.readModels),
    container.getAsync(services.leaseKeeper),
    container.getAsync(services.secretBox),
    container.getAsync(services.apiKeys),
    container.getAsync(services.sandbox),
    container.getAsync(services.masterKey),
    container.getAsync(services.accountBook),
    container.getAsync(services.positionBoard),
    container.getAsync(services.sessionTokens),
    container.getAsync(services.redis),
  ]);
  const upstream = container.get(services.upstreamPools);
  const tokenCounter = container.get(services.tokenCounter);

  const directory = new Directory({
    feed: log,
    database: readModels.database,
    clock: systemClock,
    report: (report) => programLog.warn('the directory of keys and channels', { ...report }),
  });
  const followed = directory.run(stopping);
  await directory.whenReady();

  const sharedLimits = redis === null ? null : new SharedLimits(redisLimitPool(redis, container.get(services.processName)), stopwatch);

  const lag = projectionLag(readModels.database, log);
  const failed = (error: unknown): void => programLog.warn('the lag of the read models is not known', { error });
  const stopTimers = [
    every(1_000, () => sharedLimits?.tick(), failed),
    every(LAG_MS, lag.refresh, failed),
    every(
      1_000,
      () => {
        if (directory.staleSince === null) notReady.delete(STALE);
        else notReady.add(STALE);
      },
      failed,
    ),
  ];

  const commandLog = { log, appender, ids: timeSortedIds, clock: systemClock, programLog };
  const relay: RelayDeps = {
    directory,
    apiKeys,
    spending: timedSpending(keeper, metrics.durable, () => stopwatch.elapsed()),
    claims: {
      claim: async (tokenId, key, payloadHash, requestId) => {
        const refusal = await claimIdempotencyKey(log, appender, {
          tokenId,
          key,
          payloadHash,
          requestId,
          occurredAt: new Date(systemClock.now()).toISOString(),
        });
        return isRefusal(refusal) ? refusal : 'claimed';
      },
    },
    standings: createKeyStandings({ database: readModels.database, clock: systemClock }),
    upstream,
    tokenCounter,
    secrets: secretBox,
    health: recordHealth(commandLog),
    logger: { log: (line) => programLog.request({ ...line }) },
    metrics: metrics.relay,
    clock: systemClock,
    stopwatch,
    ids: timeSortedIds,
    random: () => Math.random(),
    sandboxUrl: () => sandbox?.baseUrl ?? null,
    tracer: config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? null : trace.getTracer('oblivious', version),
    inFlight: container.get(services.callsInFlight),
    limits: relayLimits(config),
    sharedLimits,
  };

  const reading = openConsoleReads({ config, readModels, board, programLog });
  const consoleRouter = createConsole({
    log,
    appender,
    book,
    clock: systemClock,
    ids: timeSortedIds,
    passwords: container.get(services.passwords),
    secretBox,
    apiKeys,
    egress: container.get(services.egressGuard),
    upstream,
    sessionTokens,
    operatorToken: operatorToken(masterKey),
    database: readModels.database,
    board,
    reading,
    projections,
    workers,
    requestLogger: relay.logger,
    processName: container.get(services.processName),
    failed: (what, error) => programLog.error(`${what} failed`, { error }),
    stopping,
    sandboxUrl: relay.sandboxUrl,
    uiFiles: await loadUiFiles(UI_FOLDER),
    installation: {
      version,
      profile: config.DATABASE_URL === undefined ? 'embedded' : 'server',
      url,
      publicUrl: config.OBLIVIOUS_PUBLIC_URL,
      sandbox: isSandboxOn(config),
      settings: Object.fromEntries(showConfig(config, process.env).map(({ name, value }) => [name, value])),
    },
  });

  return {
    relay,
    routers: [consoleRouter],
    projectionLag: () =>
      lag.latest().map(({ name, position, head, lagMs, parked }) => ({
        name,
        lagEvents: Number(head - position),
        lagSeconds: lagMs / 1_000,
        parked,
      })),
    close: async () => {
      await Promise.all([followed, ...stopTimers.map((stop) => stop())]);
      await sharedLimits?.close();
      await redis?.close();
      await Promise.all([upstream.close(), tokenCounter.close(), sandbox?.close(), reading.close()]);
    },
  };
};
