import { trace } from '@opentelemetry/api';
import type { RequestHandler } from 'express';
import { claimIdempotencyKey } from '../../../commands/calls/claim-idempotency-key.ts';
import type { RoutingSight } from '../../../gateways/ports/routing-sight.ts';
import { ChannelStates } from '../../../gateways/relay/channel-states.ts';
import { createRelayRouter, type RelayRouter } from '../../../gateways/relay/relay-router.ts';
import { routingSight } from '../../../gateways/relay/routing-sight.ts';
import { SharedLimits } from '../../../gateways/relay/shared-limits.ts';
import { Directory } from '../../../projections/directory/directory.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import { systemClock } from '../../clock.ts';
import { blaming } from '../../config/unusable.ts';
import { createKeyStandings } from '../../console-reads/key-standings.ts';
import { openArchive } from '../../content-keys/open-archive.ts';
import { services } from '../../container/identifiers.ts';
import { timeSortedIds } from '../../ids.ts';
import { countTraffic, withTraffic } from '../../redis/channel-traffic.ts';
import { redisDocumentCache } from '../../redis/document-cache.ts';
import { redisLimitCounters } from '../../redis/limit-counters.ts';
import { redisLimitPool } from '../../redis/limit-pool.ts';
import { redisSharedEvents } from '../../redis/shared-events.ts';
import { sharedStandings } from '../../redis/shared-standings.ts';
import { wsFrameSockets } from '../../sockets/ws-frame-sockets.ts';
import { every } from '../every.ts';
import { followAccounts } from '../follow-accounts.ts';
import { followCancellations } from '../follow-cancellations.ts';
import { followLimits } from '../follow-limits.ts';
import { recordHealth } from '../record-health.ts';
import { bodyFiles } from '../../bodies/body-files.ts';
import { relayLimits } from '../relay-limits.ts';
import type { RoleContext } from '../role-context.ts';
import { stopwatch } from '../stopwatch.ts';

/** How often leases are looked after. */
const TICK_MS = 1_000;

/** How often processes that start later are told which keys are in use. */
const SHARE_USE_MS = 60_000;

/** How often other processes are told of the calls to upstreams. */
const TRAFFIC_MS = 5_000;

/** How often it is looked for contents that have been kept for long enough. */
const EXPIRE_MS = 600_000;

const READY_LOOK_MS = 1_000;
const STALE = 'the directory of keys and channels is behind the log';
const SILENT = 'the event log does not answer appends';

export interface RelayRole {
  readonly calls: RequestHandler & Pick<RelayRouter, 'takeCall'>;
  readonly takeUpgrade: RelayRouter['takeUpgrade'];
  readonly embedder: RelayRouter['embedder'];
  readonly sight: RoutingSight;
  /** Gives back what is left of this process's leases: once no call is in flight. */
  readonly giveLeasesBack: () => Promise<void>;
}

/** The API for calls to models. Resolves once the directory knows the whole log. */
export const relay = async ({ container, config, version, stopping, notReady, onClose, failed }: RoleContext): Promise<RelayRole> => {
  const programLog = container.get(services.programLog);
  const metrics = container.get(services.metrics);
  const [log, appender, readModels, keeper, secretBox, apiKeys, sandbox, redis, tasks, files, vectors] = await Promise.all([
    container.getAsync(services.eventLog),
    container.getAsync(services.appendQueue),
    container.getAsync(services.readModels),
    container.getAsync(services.leaseKeeper),
    container.getAsync(services.secretBox),
    container.getAsync(services.apiKeys),
    container.getAsync(services.sandbox),
    container.getAsync(services.redis),
    container.getAsync(services.taskDesk),
    container.getAsync(services.fileDesk),
    container.getAsync(services.vectors),
  ]);
  const tokenCounter = container.get(services.tokenCounter);
  onClose(() => tokenCounter.close());

  const directory = new Directory({
    feed: log,
    database: readModels.database,
    most: config.OBLIVIOUS_DIRECTORY_KEYS,
    readStream: (stream) => log.readStream(stream),
    cache: redis === null ? null : redisDocumentCache(redis),
    lookedUp: metrics.lookedUp,
    clock: systemClock,
    report: (report) => programLog.warn('the directory of keys and channels', { ...report }),
  });
  const followed = directory.run(stopping);
  onClose(() => followed);
  await directory.whenReady();
  const isReady = (reason: string, ready: boolean): void => void (ready ? notReady.delete(reason) : notReady.add(reason));
  const lookWhetherReady = (): void => {
    isReady(STALE, directory.staleSince === null);
    isReady(SILENT, !appender.isSilent());
  };
  onClose(every(READY_LOOK_MS, lookWhetherReady, failed('looking whether calls can be answered')));
  onClose(every(SHARE_USE_MS, () => directory.shareUse(), failed('saying which keys are in use')));
  metrics.observeDirectory(() => directory.held);
  onClose(every(TICK_MS, () => keeper.tick(), failed('the care of leases')));
  const sharedLimits = redis === null ? null : new SharedLimits(redisLimitPool(redis, container.get(services.processName)), stopwatch);
  if (sharedLimits !== null) {
    onClose(() => sharedLimits.close());
    onClose(every(TICK_MS, () => sharedLimits.tick(), failed('sharing the limits')));
  }
  const limitPolicies = followLimits(log, stopping, (error) => programLog.warn('following the limits', { error: String(error) }));
  onClose(() => limitPolicies.ended);
  await limitPolicies.known;
  const limitCounters = redis === null ? null : redisLimitCounters(redis, container.get(services.processName), systemClock);
  if (limitCounters !== null) onClose(every(TICK_MS, async () => limitCounters.tick(systemClock.now()), failed('saying which calls run')));
  void followAccounts(log, (event) => keeper.onAccountEvent(event), stopping).catch(failed('following the accounts'));
  metrics.observeLedger(() => keeper.stats());

  const standings = createKeyStandings({ database: readModels.database, clock: systemClock });
  const traffic = redis === null ? null : countTraffic(redis);
  if (traffic !== null) onClose(every(TRAFFIC_MS, () => traffic.tell(), failed('telling of the channels’ traffic')));

  const { contentKeyFile, bodyDirectory } = await container.getAsync(services.dataDirectory);
  // What was kept before goes in time, also where nothing is kept any more.
  const kept = await blaming(contentKeyFile, () => openArchive({ config, contentKeyFile, secretBox, log, appender }));
  onClose(() => kept.close());
  onClose(every(EXPIRE_MS, () => kept.expire(), failed('destroying the keys of what was kept for long enough')));

  const limits = relayLimits(config);
  const states = new ChannelStates(stopwatch, limits, recordHealth({ log, appender, ids: timeSortedIds, clock: systemClock, programLog }));
  const calls = createRelayRouter({
    directory,
    apiKeys,
    spending: keeper,
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
    standings: redis === null ? standings : sharedStandings(standings, redis),
    upstream: container.get(services.upstreamPools),
    frameSockets: wsFrameSockets({ guard: container.get(services.egressGuard) }),
    tokenCounter,
    pictures: container.get(services.pictures),
    secrets: secretBox,
    states,
    logger: container.get(services.requestLogger),
    metrics: traffic === null ? metrics.relay : withTraffic(metrics.relay, traffic),
    clock: systemClock,
    stopwatch,
    ids: timeSortedIds,
    bodyFiles: bodyFiles(config.OBLIVIOUS_BODY_DIRECTORY ?? bodyDirectory),
    random: () => Math.random(),
    sandboxUrl: () => sandbox?.baseUrl ?? null,
    tracer: config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? null : trace.getTracer('oblivious', version),
    inFlight: container.get(services.callsInFlight),
    limits,
    sharedLimits,
    archive: config.OBLIVIOUS_KEEP_RESPONSES ? kept.archive : null,
    tasks,
    files,
    vectors: vectors.desk,
    limitPolicies,
    limitCounters,
    sharedEvents: redis === null ? null : redisSharedEvents(redis),
  });
  // Alone, a process is told of all that it has to end by its own callers.
  if (config.DATABASE_URL !== undefined)
    void followCancellations(log, calls.responsesMadeHere, stopping).catch(failed('following the responses that are cancelled'));
  const { takeUpgrade, embedder } = calls;
  return { calls, takeUpgrade, embedder, sight: routingSight(directory, states), giveLeasesBack: () => keeper.stop() };
};
