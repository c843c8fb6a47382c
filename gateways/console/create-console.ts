import { Router, type Request, type Response } from 'express';
import type { z } from 'zod';
import type { AccountBook } from '../../commands/ledger/account-book.ts';
import type { Appender } from '../../commands/ports/appender.ts';
import type { ApiKeys } from '../../commands/ports/api-keys.ts';
import type { Clock } from '../../commands/ports/clock.ts';
import type { EgressCheck } from '../../commands/ports/egress-check.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import type { ExportStore } from '../../commands/ports/export-store.ts';
import type { IdSource } from '../../commands/ports/id-source.ts';
import type { Passwords } from '../../commands/ports/passwords.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import { listChannels } from '../../projections/channels/queries.ts';
import type { PositionBoard } from '../../projections/engine/position-board.ts';
import type { Projection } from '../../projections/engine/projection.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import { priceListAt } from '../../projections/price-lists/queries.ts';
import { countTokens } from '../../projections/token-lookup/queries.ts';
import { countUsers } from '../../projections/users/queries.ts';
import type { StatusView } from '../../schemas/http/status.ts';
import type { RoutingSight } from '../ports/routing-sight.ts';
import type { RequestLogger } from '../ports/request-logger.ts';
import type { ChannelTraffics } from '../ports/channel-traffic.ts';
import type { EndedSessions } from '../ports/ended-sessions.ts';
import type { SignInFailures } from '../ports/sign-in-failures.ts';
import type { SessionTokens } from '../ports/session-tokens.ts';
import type { Upstream } from '../ports/upstream.ts';
import type { WorkerCare } from '../ports/worker-care.ts';
import { balanceAsker } from './balance-asker.ts';
import { modelLister } from './model-lister.ts';
import { channelProbe } from './channel-probe.ts';
import { createConsoleRouter } from './create-console-router.ts';
import { createUiRouter } from './create-ui-router.ts';
import { allHandlers } from './handlers/all-handlers.ts';
import { openApiDocument } from './openapi.ts';
import { consoleReads } from './reads/console-reads.ts';
import type { ReadsDeps } from './reads/reads-deps.ts';
import { readModelCare } from './read-model-care.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { Sessions } from './sessions.ts';
import { SharedSignInThrottle } from './shared-sign-in-throttle.ts';
import { SignInThrottle } from './sign-in-throttle.ts';
import type { UiFile } from './ui-files.ts';
import { UserChanges } from './user-changes.ts';

export interface ConsoleDeps {
  readonly log: EventLog;
  readonly appender: Appender;
  readonly book: Pick<AccountBook, 'execute' | 'read'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly passwords: Passwords;
  readonly secretBox: SecretBox;
  readonly apiKeys: ApiKeys;
  readonly egress: EgressCheck;
  readonly upstream: Upstream;
  readonly sessionTokens: SessionTokens;
  readonly operatorToken: string;
  readonly database: ReadModelDatabase;
  readonly board: PositionBoard;
  /** Where the console's pages are read from, which may be a replica. */
  readonly reading: Pick<ReadsDeps, 'sql' | 'board'>;
  readonly projections: readonly Projection[];
  readonly workers: WorkerCare;
  readonly exportStore: Pick<ExportStore, 'read'>;
  readonly requestLogger: RequestLogger;
  /** Names this process where it rebuilds a read model. */
  readonly processName: string;
  /** Told when work that nobody waits for has failed. */
  readonly failed: (what: string, error: unknown) => void;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  readonly sandboxUrl: () => string | null;
  /** What the relay in this process sees of the channels; `null` where none runs. */
  readonly routingSight: RoutingSight | null;
  /** What consoles share; `null`: each knows of itself only. */
  readonly shared: {
    readonly signInFailures: SignInFailures;
    readonly endedSessions: EndedSessions;
    readonly traffics: ChannelTraffics;
  } | null;
  readonly uiFiles: ReadonlyMap<string, UiFile> | null;
  readonly installation: {
    readonly version: string;
    readonly profile: z.output<typeof StatusView>['profile'];
    /** The address under which clients reach this server, without a slash at its end. */
    readonly url: string;
    /** As {@link url}, when an operator configured it: pages from there are ours. */
    readonly publicUrl: string | undefined;
    readonly sandbox: boolean;
    /** The configuration, secrets masked. */
    readonly settings: Readonly<Record<string, string>>;
  };
}

/** What the console shows for one dollar where it shows quota: the figure that users of other gateways know. */
const QUOTA_PER_USD = 500_000;

/** The console: its API under `/api`, the API's description, and its pages. */
export const createConsole = (deps: ConsoleDeps): Router => {
  const { log, clock, board, installation } = deps;
  const { sql } = deps.reading;
  const startedAt = new Date(clock.now()).toISOString();
  const secureCookies = installation.url.startsWith('https://');
  const reads = consoleReads({ ...deps.reading, log, clock });
  const sessions = new Sessions({ tokens: deps.sessionTokens, log, clock, ended: deps.shared?.endedSessions ?? null });
  const status = async (): Promise<z.output<typeof StatusView>> => {
    const now = new Date(clock.now()).toISOString();
    const head = await log.head();
    const [users, keys, channels, prices] = [
      await countUsers(sql),
      await countTokens(sql, 'all'),
      await listChannels(sql),
      await priceListAt(sql, now),
    ];
    return {
      version: installation.version,
      profile: installation.profile,
      startedAt,
      head: head.toString(),
      readModelsReady: await board.waitFor('all', head, 100),
      settings: { ...installation.settings },
      counts: { users, keys, channels: channels.length, pricedModels: prices?.models.length ?? 0 },
    };
  };
  const handlers = allHandlers({
    ...deps,
    probe: channelProbe(deps),
    lister: modelLister(deps),
    balances: balanceAsker(deps),
    sessions,
    traffics: deps.shared?.traffics ?? null,
    throttle:
      deps.shared === null ? new SignInThrottle(clock) : new SharedSignInThrottle(new SignInThrottle(clock), deps.shared.signInFailures),
    reads,
    care: readModelCare({ ...deps, feed: log, owner: deps.processName, failed: (name, error) => deps.failed(`rebuilding ${name}`, error) }),
    installation: {
      version: installation.version,
      apiBaseUrl: `${installation.url}/v1`,
      sandbox: installation.sandbox,
      quotaPerUsd: QUOTA_PER_USD,
    },
    status,
  });

  const router = Router();
  router.use(
    '/api',
    createConsoleRouter({
      ...deps,
      handlers,
      sessions,
      secureCookies,
      publicUrl: installation.publicUrl,
      waitFor: reads.waitFor,
      userChanges: new UserChanges(log),
      newRequestId: () => deps.ids.next('req'),
      addressOf: (request) => request.ip ?? request.socket.remoteAddress ?? '',
    }),
  );
  /** Made when it is first asked for: that takes longer than all else of a console's start, and most are never asked. */
  let description: string | null = null;
  router.get('/openapi.json', (_request: Request, response: Response) => {
    description ??= JSON.stringify(openApiDocument(installation.version));
    setSecurityHeaders(response, secureCookies);
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(description);
  });
  router.use(createUiRouter(deps.uiFiles, secureCookies));
  return router;
};
