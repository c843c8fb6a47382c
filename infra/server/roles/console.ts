import { fileURLToPath } from 'node:url';
import type { RoutingSight } from '../../../gateways/ports/routing-sight.ts';
import { createConsole } from '../../../gateways/console/create-console.ts';
import { loadUiFiles } from '../../../gateways/console/ui-files.ts';
import { projections } from '../../../projections/registry.ts';
import { systemClock } from '../../clock.ts';
import { openConsoleReads } from '../../console-reads/open-console-reads.ts';
import { showConfig } from '../../config/read-config.ts';
import { services } from '../../container/identifiers.ts';
import { operatorToken } from '../../crypto/operator-token.ts';
import { timeSortedIds } from '../../ids.ts';
import { redisChannelTraffics } from '../../redis/channel-traffic.ts';
import { redisEndedSessions } from '../../redis/ended-sessions.ts';
import { redisSignInFailures } from '../../redis/sign-in-failures.ts';
import { every } from '../every.ts';
import { isSandboxOn } from '../first-run-settings.ts';
import type { RoleContext } from '../role-context.ts';

/** How soon a session that was signed out elsewhere is refused here. */
const ENDED_SESSIONS_MS = 1_000;

/** The built console stands beside the built server; the sources find it there too. */
const UI_FOLDER = fileURLToPath(new URL(import.meta.url.includes('/dist/infra/') ? '../../../ui' : '../../../dist/ui', import.meta.url));

/** The console: its API and its pages. */
export const serveConsole = async (
  { container, config, version, url, stopping, app, onClose, failed }: RoleContext,
  routingSight: RoutingSight | null,
): Promise<void> => {
  const programLog = container.get(services.programLog);
  const [log, appender, readModels, secretBox, apiKeys, sandbox, masterKey, book, board, sessionTokens, workers, redis] = await Promise.all(
    [
      container.getAsync(services.eventLog),
      container.getAsync(services.appendQueue),
      container.getAsync(services.readModels),
      container.getAsync(services.secretBox),
      container.getAsync(services.apiKeys),
      container.getAsync(services.sandbox),
      container.getAsync(services.masterKey),
      container.getAsync(services.accountBook),
      container.getAsync(services.positionBoard),
      container.getAsync(services.sessionTokens),
      container.getAsync(services.workers),
      container.getAsync(services.redis),
    ],
  );
  const reading = openConsoleReads({ config, readModels, board, programLog });
  onClose(() => reading.close());
  const endedSessions = redis === null ? null : redisEndedSessions(redis);
  if (endedSessions !== null) onClose(every(ENDED_SESSIONS_MS, () => endedSessions.hear(), failed('hearing of sessions that ended')));
  app.use(
    createConsole({
      log,
      appender,
      book,
      clock: systemClock,
      ids: timeSortedIds,
      passwords: container.get(services.passwords),
      secretBox,
      apiKeys,
      egress: container.get(services.egressGuard),
      upstream: container.get(services.upstreamPools),
      sessionTokens,
      shared:
        redis === null || endedSessions === null
          ? null
          : { signInFailures: redisSignInFailures(redis), endedSessions, traffics: redisChannelTraffics(redis) },
      operatorToken: operatorToken(masterKey),
      database: readModels.database,
      board,
      reading,
      projections,
      workers: workers.care,
      exportStore: workers.exportStore,
      requestLogger: container.get(services.requestLogger),
      processName: container.get(services.processName),
      failed: (what, error) => programLog.error(`${what} failed`, { error }),
      stopping,
      routingSight,
      sandboxUrl: () => sandbox?.baseUrl ?? null,
      uiFiles: await loadUiFiles(UI_FOLDER),
      installation: {
        version,
        profile: config.DATABASE_URL === undefined ? 'embedded' : 'server',
        url,
        publicUrl: config.OBLIVIOUS_PUBLIC_URL,
        sandbox: isSandboxOn(config),
        settings: Object.fromEntries(showConfig(config, process.env).map(({ name, value }) => [name, value])),
      },
    }),
  );
};
