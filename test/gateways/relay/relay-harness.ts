import express from 'express';
import { normalisedModel } from '../../../domain/relay/model-mapping.ts';
import { DEFAULT_ROUTING, type Routing } from '../../../domain/relay/routing-rules.ts';
import type { IdempotencyClaims } from '../../../gateways/ports/idempotency-claims.ts';
import type { Directory, DirectoryChannel, DirectoryToken, DirectoryUser, LookedUp } from '../../../gateways/ports/directory.ts';
import type { KeyStanding } from '../../../gateways/ports/key-standing.ts';
import type { FinishedCall } from '../../../gateways/ports/relay-metrics.ts';
import type { RequestLine } from '../../../gateways/ports/request-logger.ts';
import type { Upstream } from '../../../gateways/ports/upstream.ts';
import { CallsInFlight } from '../../../gateways/relay/calls-in-flight.ts';
import { ChannelStates } from '../../../gateways/relay/channel-states.ts';
import type { RelayDeps } from '../../../gateways/relay/relay-deps.ts';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../../../gateways/relay/relay-limits.ts';
import { createRelayRouter, type RelayRouter } from '../../../gateways/relay/relay-router.ts';
import { mappedBy } from '../../../gateways/relay/upstream-address.ts';
import { createHttpServer, type HttpServer } from '../../../infra/http/http-server.ts';
import { timeSortedIds } from '../../../infra/ids.ts';
import type { EgressGuard } from '../../../infra/egress/guard.ts';
import { withSigning } from '../../../infra/signing/signing-upstream.ts';
import { withSockets } from '../../../infra/sockets/socket-upstream.ts';
import { wsFrameSockets } from '../../../infra/sockets/ws-frame-sockets.ts';
import { withWork } from '../../../infra/upstream/working-upstream.ts';
import { createUpstreamPools, type UpstreamPools } from '../../../infra/upstream/upstream-pools.ts';
import { refuse } from '../../../schemas/errors.ts';
import type { ChannelSettings } from '../../../schemas/events/channel.ts';
import { UNRESTRICTED, type KeyHash } from '../../../schemas/events/token.ts';
import type { ChannelId, ChannelKeyId, PriceListId, TokenId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { NO_LIMITS } from '../../../schemas/limits.ts';
import { RATIO_ONE, type ModelPrice, type Ratio } from '../../../schemas/price.ts';
import type { Sealed } from '../../../schemas/sealed.ts';
import { RecordingSpending } from './recording-spending.ts';

export const KEY = 'sk-obl-test';
export const USER_ID = 'usr_1' as UserId;
export const TOKEN_ID = 'key_1' as TokenId;
export const PRICE_LIST_ID = 'prl_1' as PriceListId;

/** 2 dollars a million in, 8 out. */
export const chatPrice = (model: string, more: Partial<ModelPrice> = {}): ModelPrice => ({
  model,
  kind: 'chat',
  rates: { input: 2_000_000_000n as Money, cachedInput: 500_000_000n as Money, output: 8_000_000_000n as Money },
  maxOutputTokens: 4_096,
  ...more,
});

export interface ChannelOptions extends Partial<Omit<ChannelSettings, 'models'>> {
  /** `ours=theirs`, or a name that is the same on both sides. */
  readonly models?: readonly string[];
  readonly keys?: readonly string[];
}

let channelCount = 0;

export const channel = (baseUrl: string, options: ChannelOptions = {}): DirectoryChannel => {
  const { models = ['m'], keys = ['sk-upstream-1'], ...settings } = options;
  const channelId = `chn_${++channelCount}` as ChannelId;
  return {
    channelId,
    health: 'unknown',
    failingModels: [],
    keys: keys.map((key, index) => ({ keyId: `chk_${channelCount}-${index}` as ChannelKeyId, secret: key as Sealed, enabled: true })),
    settings: {
      name: `channel ${channelCount}`,
      provider: 'openai',
      baseUrl,
      priority: 0,
      weight: 1,
      groups: null,
      costRatio: 500_000 as Ratio,
      ...settings,
      models: models.map((name) => {
        const [model = name, upstreamModel = model] = name.split('=');
        return { model, upstreamModel };
      }),
    },
  };
};

export class TestDirectory implements Directory {
  token: DirectoryToken = {
    tokenId: TOKEN_ID,
    userId: USER_ID,
    name: 'test',
    disabled: false,
    revoked: false,
    exhausted: false,
    expiresAt: null,
    restrictions: UNRESTRICTED,
  };
  owner: DirectoryUser = { userId: USER_ID, group: 'default', role: 'user', suspended: false };
  channels: readonly DirectoryChannel[] = [];
  prices = new Map<string, ModelPrice>();
  ratio: Ratio = RATIO_ONE;

  tokenByHash(keyHash: KeyHash): DirectoryToken | undefined {
    return keyHash === (KEY as string) ? this.token : undefined;
  }
  user(userId: UserId): DirectoryUser | undefined {
    return userId === this.owner.userId ? this.owner : undefined;
  }
  /** What is found outside of memory; `null`: nothing is outside. */
  outside: (() => Promise<LookedUp>) | null = null;
  lookUp(): Promise<LookedUp> | null {
    return this.outside?.() ?? null;
  }
  channelsOfProvider(provider: string): readonly DirectoryChannel[] {
    return this.channels.filter(({ settings }) => settings.provider === provider);
  }
  channelsForModel(model: string): readonly DirectoryChannel[] {
    return this.channels.filter(({ settings }) => mappedBy(settings, model) !== null);
  }
  routing: Routing = DEFAULT_ROUTING;
  routingFor(): Routing {
    return this.routing;
  }
  modelMeant(model: string): string | undefined {
    return this.models().find((known) => normalisedModel(known) === normalisedModel(model));
  }
  models(): readonly string[] {
    return [...new Set(this.channels.flatMap(({ settings }) => settings.models.map(({ model }) => model)))];
  }
  price(model: string): { priceListId: PriceListId; price: ModelPrice } | undefined {
    const price = this.prices.get(model);
    return price === undefined ? undefined : { priceListId: PRICE_LIST_ID, price };
  }
  groupRatio(): Ratio {
    return this.ratio;
  }
}

class TestClaims implements IdempotencyClaims {
  readonly taken = new Map<string, string>();
  async claim(tokenId: TokenId, key: string, payloadHash: string): Promise<'claimed' | ReturnType<typeof refuse>> {
    const name = `${tokenId} ${key}`;
    const known = this.taken.get(name);
    if (known !== undefined) return refuse(known === payloadHash ? 'idempotency_spent' : 'idempotency_conflict');
    this.taken.set(name, payloadHash);
    return 'claimed';
  }
}

export interface RelayHarness {
  /** With `/v1`. */
  readonly baseUrl: string;
  readonly url: string;
  readonly directory: TestDirectory;
  readonly spending: RecordingSpending;
  readonly claims: TestClaims;
  readonly pools: UpstreamPools;
  readonly inFlight: CallsInFlight;
  readonly http: HttpServer;
  readonly embedder: RelayRouter['embedder'];
  readonly routes: RelayRouter['routes'];
  readonly spendingRoutes: RelayRouter['spendingRoutes'];
  readonly lines: RequestLine[];
  openSessions(): number;
  readonly finished: FinishedCall[];
  readonly health: { readonly changes: string[]; readonly refusedKeys: string[]; readonly refusedChannels: string[] };
  standing: KeyStanding;
  /** Resolves when no call runs. */
  idle(): Promise<void>;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export type HarnessOptions = {
  readonly limits?: Partial<RelayLimits>;
  readonly googleTokenUrl?: string;
  /** Stands between the relay and its upstreams. */
  readonly between?: (upstream: Upstream) => Upstream;
} & Partial<
  Pick<
    RelayDeps,
    | 'tokenCounter'
    | 'pictures'
    | 'random'
    | 'sandboxUrl'
    | 'tracer'
    | 'sharedLimits'
    | 'archive'
    | 'sharedEvents'
    | 'limitPolicies'
    | 'limitCounters'
    | 'bodyFiles'
    | 'clock'
    | 'stopwatch'
    | 'tasks'
    | 'files'
    | 'vectors'
    | 'spending'
  >
>;

/** The relay in a real HTTP server, with real upstream connections, on money that only remembers. */
export const startRelay = async (options: HarnessOptions = {}): Promise<RelayHarness> => {
  const directory = new TestDirectory();
  const spending = new RecordingSpending();
  const claims = new TestClaims();
  const lines: RequestLine[] = [];
  const finished: FinishedCall[] = [];
  const health = { changes: [] as string[], refusedKeys: [] as string[], refusedChannels: [] as string[] };
  const inFlight = new CallsInFlight();
  let openSessions = 0;
  const guard: Pick<EgressGuard, 'lookup' | 'allowsAddress'> = {
    allowsAddress: (address) => address === '127.0.0.1',
    lookup: (_host, _options, callback) => callback(new Error('no names in tests'), '', 0),
  };
  const signing = { clock: { now: () => Date.now() }, googleTokenUrl: options.googleTokenUrl };
  const pools = withWork(withSigning(withSockets(createUpstreamPools({ guard }), wsFrameSockets({ guard })), signing), {
    firstMs: 5,
    mostMs: 20,
  });
  const harness = { standing: { spent: 250_000_000n as Money, cap: null, balance: 750_000_000n as Money, left: 750_000_000n as Money } };
  const stopwatch = options.stopwatch ?? { elapsed: () => performance.now() };
  const limits: RelayLimits = { ...DEFAULT_RELAY_LIMITS, watchMs: 10, backoff: { base: 1, most: 2 }, ...options.limits };
  const app = express();
  const relay = createRelayRouter({
    directory,
    apiKeys: { hashOf: (presented) => (presented.startsWith('sk-obl-') ? (presented as KeyHash) : null) },
    spending: options.spending ?? spending,
    claims,
    standings: { of: async () => harness.standing },
    upstream: options.between?.(pools) ?? pools,
    frameSockets: wsFrameSockets({ guard }),
    tokenCounter: options.tokenCounter ?? { count: async (texts) => texts.join('').length },
    pictures: options.pictures ?? null,
    secrets: { open: (sealed) => sealed },
    states: new ChannelStates(stopwatch, limits, {
      healthChanged: (channelId, from, to) => health.changes.push(`${channelId} ${from} ${to}`),
      modelHealthChanged: (channelId, model, to) => health.changes.push(`${channelId} ${model} ${to}`),
      channelRefused: (channelId) => health.refusedChannels.push(channelId),
      keyRefused: (_channelId, keyId) => health.refusedKeys.push(keyId),
    }),
    logger: { log: (line) => lines.push(line) },
    metrics: {
      callStarted: () => undefined,
      callFinished: (call) => finished.push(call),
      attemptFinished: () => undefined,
      charged: () => undefined,
      sessions: (change) => (openSessions += change),
    },
    clock: options.clock ?? { now: () => Date.now() },
    stopwatch,
    ids: timeSortedIds,
    random: options.random ?? Math.random,
    sandboxUrl: options.sandboxUrl ?? (() => null),
    tracer: options.tracer ?? null,
    inFlight,
    bodyFiles: options.bodyFiles ?? null,
    sharedLimits: options.sharedLimits ?? null,
    archive: options.archive ?? null,
    tasks: options.tasks ?? null,
    files: options.files ?? null,
    vectors: options.vectors ?? null,
    sharedEvents: options.sharedEvents ?? null,
    limits,
    limitPolicies: options.limitPolicies ?? { current: NO_LIMITS },
    limitCounters: options.limitCounters ?? null,
  });
  app.use(relay);
  const http = createHttpServer({ app, ids: timeSortedIds });
  http.takeRequests(relay.takeCall);
  http.takeUpgrades(relay.takeUpgrade);
  const port = await http.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${port}`;
  return Object.assign(harness, {
    url,
    baseUrl: `${url}/v1`,
    directory,
    spending,
    claims,
    pools,
    inFlight,
    http,
    embedder: relay.embedder,
    routes: relay.routes,
    spendingRoutes: relay.spendingRoutes,
    lines,
    finished,
    health,
    openSessions: () => openSessions,
    idle: () => inFlight.idle(),
    post: (path: string, body: unknown, init: RequestInit = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        ...init,
        headers: {
          authorization: `Bearer ${KEY}`,
          'content-type': 'application/json',
          ...(init.headers as Record<string, string> | undefined),
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    close: async () => {
      http.closeAll();
      await http.close();
      await pools.close();
    },
  });
};
