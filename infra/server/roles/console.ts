import { fileURLToPath } from 'node:url';
import { createConsole } from '../../../gateways/console/create-console.ts';
import { loadUiFiles } from '../../../gateways/console/ui-files.ts';
import { projections } from '../../../projections/registry.ts';
import { systemClock } from '../../clock.ts';
import { openConsoleReads } from '../../console-reads/open-console-reads.ts';
import { showConfig } from '../../config/read-config.ts';
import { services } from '../../container/identifiers.ts';
import { operatorToken } from '../../crypto/operator-token.ts';
import { timeSortedIds } from '../../ids.ts';
import { isSandboxOn } from '../first-run-settings.ts';
import type { RoleContext } from '../role-context.ts';

/** The built console stands beside the built server; the sources find it there too. */
const UI_FOLDER = fileURLToPath(new URL(import.meta.url.includes('/dist/infra/') ? '../../../ui' : '../../../dist/ui', import.meta.url));

/** The console: its API and its pages. */
export const serveConsole = async ({ container, config, version, url, stopping, app, onClose }: RoleContext): Promise<void> => {
  const programLog = container.get(services.programLog);
  const [log, appender, readModels, secretBox, apiKeys, sandbox, masterKey, book, board, sessionTokens, workers] = await Promise.all([
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
  ]);
  const reading = openConsoleReads({ config, readModels, board, programLog });
  onClose(() => reading.close());
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
