import type { Channel } from '../../../ui/src/api/channels.ts';
import type { Provider } from '../../../ui/src/api/providers.ts';
import type { Key } from '../../../ui/src/api/keys.ts';
import type { Export } from '../../../ui/src/api/exports.ts';
import type { Explanation, JournalEntry, TrialBalance } from '../../../ui/src/api/ledger.ts';
import type { Limits } from '../../../ui/src/api/limits.ts';
import type { Notification } from '../../../ui/src/api/notifications.ts';
import type { Figures, SpendSeries, TopModels } from '../../../ui/src/api/overview.ts';
import type { RoutingRules, Simulated } from '../../../ui/src/api/routing.ts';
import type { RequestDetail, RequestHistogram, RequestRow } from '../../../ui/src/api/requests.ts';
import type { Task } from '../../../ui/src/api/tasks.ts';
import type { Profile, User } from '../../../ui/src/api/users.ts';

/** Deterministic answers of the API, so that the states of the console can be looked at without a server behind it. */

/** A small generator (mulberry32): the same seed draws the same picture. */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MODELS = [
  'gpt-5.2',
  'claude-opus-4-6',
  'gemini-3-pro',
  'deepseek-v4',
  'qwen3-max',
  'glm-4.7',
  'kimi-k3',
  'mistral-large-3',
  'text-embedding-3-small',
];
const NAMES = ['web-production', 'ci-runner', 'nightly-batch', 'mobile-ios', 'research', 'support-bot'];
const at = (now: number, ago: number): string => new Date(now - ago).toISOString();
const nano = (dollars: number): string => BigInt(Math.round(dollars * 1e9)).toString();
const pick = <Item>(items: readonly Item[], chance: number): Item => items[Math.floor(chance * items.length)]!;

export const LONG_NAME = 'a-key-whose-name-somebody-made-as-long-as-the-form-allows-because-nothing-said-that-it-should-be-shorter';

export const sampleKeys = (now: number, count = 14): Key[] => {
  const random = randomFrom(11);
  return Array.from({ length: count }, (_, index) => {
    const status = (['active', 'active', 'active', 'disabled', 'active', 'exhausted', 'active', 'expired', 'active', 'revoked'] as const)[
      index % 10
    ]!;
    const month = random() * 900;
    return {
      tokenId: `key_${(index + 1).toString(36).padStart(12, '0')}`,
      userId: 'usr_0000admin',
      name: index === 2 ? LONG_NAME.slice(0, 100) : `${pick(NAMES, random())}-${index + 1}`,
      keyPrefix: `sk-obl-${Math.floor(random() * 0xffff)
        .toString(16)
        .padStart(4, '0')}`,
      status,
      statusReason: status === 'revoked' ? 'Found in a public repository' : null,
      expiresAt: index % 4 === 1 ? at(now, -(index + 3) * DAY) : status === 'expired' ? at(now, 2 * DAY) : null,
      restrictions:
        index % 3 === 0
          ? {
              models: ['gpt-5.2', 'text-embedding-3-small'],
              endpoints: ['chat', 'embeddings'],
              addresses: ['203.0.113.0/24', '2001:db8::/32'],
            }
          : { models: null, endpoints: null, addresses: null },
      caps: { day: index % 3 === 0 ? nano(50) : null, month: index % 2 === 0 ? nano(1_000) : null, total: null },
      spent: { today: nano(month / 30), thisMonth: nano(month), total: nano(month * 3.4) },
      createdAt: at(now, (40 + index) * DAY),
      lastUsedAt: index % 5 === 4 ? null : at(now, random() * 3 * DAY),
      revision: 3,
    };
  });
};

export const sampleProviders = (): Provider[] => [
  { id: 'openai', name: 'OpenAI', baseUrl: 'https://api.openai.com/v1', blanks: [], keyless: false, serves: ['chat', 'embeddings'] },
  { id: 'groq', name: 'Groq', baseUrl: 'https://api.groq.com/openai/v1', blanks: [], keyless: false, serves: ['chat'] },
  {
    id: 'cloudflare-workers-ai',
    name: 'Cloudflare Workers AI',
    baseUrl: 'https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1',
    blanks: [{ name: 'account', form: 'segment' }],
    keyless: false,
    serves: ['chat', 'embeddings'],
  },
];

export const sampleChannels = (now: number): Channel[] => {
  const base = (
    name: string,
    provider: 'openai' | 'sandbox',
    models: readonly string[],
    priority: number,
    weight: number,
  ): Channel['settings'] => ({
    name,
    provider,
    baseUrl: provider === 'sandbox' ? 'https://sandbox.invalid/v1' : `https://${name.toLowerCase().replace(/\W+/g, '-')}.example/v1`,
    models: models.map((model) => ({ model, upstreamModel: model })),
    priority,
    weight,
    groups: null,
    costRatio: 1_000_000,
  });
  const rows: readonly [Channel['settings'], Partial<Channel>][] = [
    [
      base('OpenAI main', 'openai', ['gpt-5.2', 'gpt-5.2-mini', 'text-embedding-3-small'], 10, 3),
      {
        balance: { currency: 'USD', amount: '4.10', isLow: true, reportedAt: at(now, 3 * HOUR) },
        health: 'healthy',
        lastTest: { ok: true, model: 'gpt-5.2', latencyMs: 612, message: '', testedAt: at(now, 12 * 60_000) },
      },
    ],
    [
      base('OpenAI spare', 'openai', ['gpt-5.2'], 5, 1),
      {
        health: 'failing',
        healthReason: 'HTTP 503 four times in a row',
        lastTest: {
          ok: false,
          model: 'gpt-5.2',
          latencyMs: 30_000,
          message: 'The upstream did not answer in time.',
          testedAt: at(now, 3 * 60_000),
        },
      },
    ],
    [base('DeepSeek direct', 'openai', ['deepseek-v4'], 0, 1), { health: 'unknown' }],
    [
      base('Mistral Paris', 'openai', ['mistral-large-3', 'mistral-small'], 0, 2),
      { enabled: false, disabledBy: 'platform', disabledReason: 'Every key was refused with 401', health: 'failing' },
    ],
    [
      base('Sandbox', 'sandbox', ['sandbox-fast', 'sandbox-slow', 'sandbox-tools', 'sandbox-embed'], -10, 1),
      { health: 'healthy', keys: [] },
    ],
  ];
  return rows.map(([settings, more], index) => ({
    channelId: `chn_${(index + 1).toString(36).padStart(12, '0')}`,
    settings: {
      ...(index < 3 ? { tags: index === 2 ? ['asia'] : ['europe', 'paid'] } : {}),
      ...(index === 0
        ? { ...settings, models: [...settings.models, { model: 'fast', upstreamModel: 'gpt-5.2-mini-2026-08-06' }] }
        : settings),
    },
    enabled: true,
    disabledBy: null,
    disabledReason: null,
    health: 'unknown',
    healthReason: null,
    healthSince: at(now, 5 * HOUR),
    keys: [
      { keyId: `chk_${index}a`, hint: '…x7Qm', enabled: true, disabledReason: null },
      {
        keyId: `chk_${index}b`,
        hint: '…9fTz',
        enabled: index !== 0,
        disabledReason: index === 0 ? 'Refused with 401 by the upstream' : null,
      },
    ],
    lastTest: null,
    addedAt: at(now, (20 + index) * DAY),
    revision: 4,
    ...more,
  }));
};

export const sampleRequest = (now: number, index: number, random: () => number): RequestRow => {
  const chance = random();
  const state = index === 0 ? 'running' : chance < 0.06 ? 'released' : 'charged';
  const status = state === 'running' ? null : state === 'released' ? pick([502, 429, 504, 400], random()) : 200;
  const input = Math.floor(random() * 4_000) + 20;
  const output = state === 'charged' ? Math.floor(random() * 900) + 4 : 0;
  const duration = Math.floor(random() * 6_000) + 180;
  return {
    requestId: `req_${(1_000_000 - index).toString(36).padStart(16, '0')}`,
    state,
    userId: 'usr_0000admin',
    tokenId: 'key_000000000001',
    tokenName: pick(NAMES, random()),
    model: pick(MODELS, random() ** 2),
    endpoint: index % 9 === 8 ? 'embeddings' : 'chat',
    streamed: index % 2 === 0,
    status,
    errorCode:
      status === null || status < 400
        ? null
        : status === 429
          ? 'upstream_rate_limited'
          : status === 504
            ? 'upstream_timed_out'
            : status === 400
              ? 'invalid_request'
              : 'upstream_failed',
    startedAt: at(now, index * 47_000 + 2_000),
    firstByteMs: state === 'charged' ? Math.min(duration, Math.floor(random() * 700) + 90) : null,
    durationMs: state === 'running' ? null : duration,
    inputTokens: input,
    cachedTokens: Math.floor(random() * input),
    outputTokens: output,
    amount: state === 'charged' ? BigInt(input * 1_250 + output * 10_000).toString() : '0',
    basis: state === 'charged' ? 'reported' : null,
    attempts: chance < 0.1 ? 2 : 1,
    channelId: 'chn_000000000001',
    upstreamCost: state === 'charged' ? BigInt(input * 1_250 + output * 10_000).toString() : null,
  };
};

export const sampleRequests = (now: number, count = 60): RequestRow[] => {
  const random = randomFrom(23);
  return Array.from({ length: count }, (_, index) => sampleRequest(now, index, random));
};

export const sampleDetail = (now: number, request: RequestRow): RequestDetail => ({
  request,
  leaseId: 'lse_00000000a1b2',
  priceListId: 'prl_2026-11-01',
  held: '4100000',
  usage: { input: request.inputTokens, cachedInput: request.cachedTokens, output: request.outputTokens },
  releaseReason: request.state === 'released' ? 'upstream_failed' : null,
  reconcile: false,
  attempts: [
    { attemptId: 'att_1', channelId: 'chn_000000000002', channelKeyId: 'chk_1a', outcome: 'failed', status: 503, durationMs: 420 },
    {
      attemptId: 'att_2',
      channelId: 'chn_000000000001',
      channelKeyId: 'chk_0a',
      outcome: request.state === 'released' ? 'timed_out' : 'answered',
      status: request.state === 'released' ? null : 200,
      durationMs: Math.max(200, (request.durationMs ?? 900) - 430),
    },
  ],
  events: [
    { position: '48121', type: 'QuotaReserved', recordedAt: request.startedAt },
    { position: '48125', type: request.state === 'released' ? 'QuotaReleased' : 'QuotaDebited', recordedAt: at(now, 1_000) },
  ],
});

export const sampleHistogram = (now: number): RequestHistogram => {
  const random = randomFrom(5);
  return {
    from: at(now, DAY),
    to: new Date(now).toISOString(),
    stepMs: 15 * 60_000,
    buckets: Array.from({ length: 96 }, (_, index) => ({
      start: at(now, DAY - index * 15 * 60_000),
      ok: Math.floor(random() * 60 * (0.4 + Math.sin(index / 15) ** 2)),
      failed: index % 17 === 3 ? 5 : random() < 0.1 ? 1 : 0,
      spend: nano(random()),
    })),
  };
};

export const sampleJournal = (now: number, count = 60): JournalEntry[] => {
  const random = randomFrom(7);
  let balance = 781_940_312_450n;
  return Array.from({ length: count }, (_, index): JournalEntry => {
    const kind =
      index === count - 1 ? 'grant' : index % 13 === 7 ? 'refund' : index === 20 ? 'adjustment' : index === 33 ? 'grant' : 'charge';
    const amount =
      kind === 'grant' ? 500_000_000_000n : kind === 'adjustment' ? 12_500_000_000n : BigInt(Math.floor(random() * 90_000_000)) + 1_250n;
    const comesIn = kind !== 'charge';
    const after = balance;
    balance += comesIn ? -amount : amount;
    const model = kind === 'charge' || kind === 'refund' ? pick(MODELS, random()) : null;
    return {
      entryId: `${48_000 - index * 3}.0`,
      position: String(48_000 - index * 3),
      recordedAt: at(now, index * 3_700_000),
      kind,
      debit:
        kind === 'grant'
          ? 'funding:admin'
          : kind === 'charge'
            ? 'held:lse_00000000a1b2'
            : kind === 'refund'
              ? `revenue:${model ?? ''}`
              : 'funding:admin',
      credit: kind === 'charge' ? `revenue:${model ?? ''}` : 'wallet:usr_0000admin',
      amount: amount.toString(),
      userId: 'usr_0000admin',
      change: (comesIn ? amount : -amount).toString(),
      balance: after.toString(),
      tokenId: model === null ? null : 'key_000000000001',
      requestId: model === null ? null : `req_${(1_000_000 - index).toString(36).padStart(16, '0')}`,
      leaseId: model === null ? null : 'lse_00000000a1b2',
      model,
      note: kind === 'grant' ? 'Welcome credit' : kind === 'adjustment' ? 'Correction of last month’s invoice' : '',
    };
  });
};

export const sampleExplanation = (now: number, requestId: string): Explanation => ({
  requestId,
  userId: 'usr_0000admin',
  tokenId: 'key_000000000001',
  leaseId: 'lse_00000000a1b2',
  model: 'gpt-5.2',
  recordedAt: at(now, 60_000),
  position: '48125',
  basis: 'reported',
  priceListId: 'prl_2026-11-01',
  priceListTitle: 'Prices of November 2026',
  tierAbovePromptTokens: null,
  lines: [
    { class: 'input', quantity: 1_204, rate: '1250000000', per: 'million', exact: '1505000' },
    { class: 'cachedInput', quantity: 3_000, rate: '125000000', per: 'million', exact: '375000' },
    { class: 'output', quantity: 411, rate: '10000000000', per: 'million', exact: '4110000' },
  ],
  groupRatio: 850_000,
  exact: '5091500',
  computed: '5091500',
  held: '9100000',
  amount: '5091500',
  overdrawn: '0',
  refunded: '0',
  upstreamCost: '5990000',
  channelId: 'chn_000000000001',
  agrees: true,
});

export const sampleTrial = (): TrialBalance => ({
  position: '48125',
  groups: [
    { group: 'wallet', accounts: 12, debits: '318059687550', credits: '1100000000000' },
    { group: 'held', accounts: 9_412, debits: '317059687550', credits: '318059687550' },
    { group: 'revenue', accounts: 9, debits: '214000000', credits: '317059687550' },
    { group: 'funding', accounts: 3, debits: '1100000000000', credits: '214000000' },
  ],
  debits: '1735333375100',
  credits: '1735333375100',
  difference: '0',
});

export const sampleFigures = (now: number): Figures => ({
  from: at(now, 7 * DAY),
  to: new Date(now).toISOString(),
  balance: '781940312450',
  held: '3120000000',
  current: {
    spend: nano(318.0596),
    requests: 128_493,
    failed: 77,
    inputTokens: 402_118_402,
    cachedTokens: 301_440_111,
    outputTokens: 88_022_015,
    firstByteMsP50: 412,
    firstByteMsP95: 1_284,
  },
  previous: {
    spend: nano(283.1),
    requests: 110_204,
    failed: 90,
    inputTokens: 1,
    cachedTokens: 1,
    outputTokens: 1,
    firstByteMsP50: 420,
    firstByteMsP95: 1_300,
  },
});

export const sampleSeries = (now: number, bucket: 'hour' | 'day', from: string, by: 'model' | 'key'): SpendSeries => {
  const random = randomFrom(3);
  const length = bucket === 'hour' ? HOUR : DAY;
  const start = Math.floor(Date.parse(from) / length) * length;
  const buckets = Array.from({ length: Math.max(1, Math.ceil((now - start) / length)) }, (_, index) =>
    new Date(start + index * length).toISOString(),
  );
  const names = by === 'model' ? MODELS : NAMES;
  const series = names.slice(0, 6).map((name, rank) => {
    const spend = buckets.map((moment, index) =>
      nano(
        (40 / (rank + 1)) *
          (0.6 + random() * 0.5) *
          ([0, 6].includes(new Date(moment).getUTCDay()) ? 0.5 : 1) *
          (index === buckets.length - 1 ? 0.4 : 1),
      ),
    );
    return {
      name,
      label: name,
      spend,
      requests: spend.map(() => Math.floor(random() * 900)),
      total: spend.reduce((sum, each) => sum + BigInt(each), 0n).toString(),
    };
  });
  const rest = buckets.map(() => nano(3 + random()));
  return {
    from,
    to: new Date(now).toISOString(),
    bucket,
    buckets,
    names: 20,
    series: [
      ...series,
      {
        name: null,
        label: 'Other',
        spend: rest,
        requests: rest.map(() => 40),
        total: rest.reduce((sum, each) => sum + BigInt(each), 0n).toString(),
      },
    ],
  };
};

export const sampleModels = (): TopModels => ({
  rows: MODELS.slice(0, 6).map((model, index) => ({
    model,
    spend: nano(120 / (index + 1)),
    requests: 40_211 - index * 6_007,
    failed: index === 2 ? 1_400 : index * 3,
    inputTokens: 120_000_000 / (index + 1),
    outputTokens: 9_000_000 / (index + 1),
  })),
});

export const sampleUsers = (now: number): User[] =>
  [
    ['usr_0000admin', 'Ada Admin', 'admin@localhost.example', 'admin', 'active'],
    ['usr_000000002', '林晚秋', 'lin.wanqiu@example.com', 'user', 'active'],
    [
      'usr_000000003',
      'Björn Þorsteinsson-Villavicencio y Fernández de Córdoba',
      'bjorn.thorsteinsson.villavicencio@research.example.org',
      'user',
      'active',
    ],
    ['usr_000000004', 'Sam Rivers', 'sam@example.net', 'user', 'suspended'],
  ].map(([userId, displayName, email, role, status], index) => ({
    userId: userId!,
    email: email!,
    displayName: displayName!,
    role: role as User['role'],
    group: index === 2 ? 'research' : 'default',
    status: status as User['status'],
    suspendedReason: status === 'suspended' ? 'Left the company' : null,
    balance: nano([781.94031245, 24.5, 0.000000125, 0][index]!),
    held: nano([3.12, 0, 0, 0][index]!),
    spentTotal: nano([318.059687, 975.5, 12, 50][index]!),
    caps: { day: index === 0 ? nano(100) : null, month: index === 0 ? nano(2_000) : null, total: null },
    createdAt: at(now, (60 - index * 9) * DAY),
    revision: 2,
  }));

export const sampleProfile = (now: number): Profile => ({
  user: sampleUsers(now)[0]!,
  timeZone: 'Europe/Berlin',
  spentToday: nano(41.7),
  spentThisMonth: nano(1_912.4),
});

export const sampleNotifications = (now: number): readonly Notification[] => [
  {
    notificationId: 'ntf_000000000003',
    audience: { kind: 'administrators' },
    tidings: {
      kind: 'channel_disabled',
      channelId: 'chn_000000000002',
      name: LONG_NAME,
      by: 'platform',
      reason: 'No key is left that works.',
    },
    raisedAt: at(now, 3_600_000),
    read: false,
  },
  {
    notificationId: 'ntf_000000000002',
    audience: { kind: 'user', userId: 'usr_0000admin' },
    tidings: { kind: 'low_balance', userId: 'usr_0000admin', balance: nano(0.94), threshold: nano(1) },
    raisedAt: at(now, DAY),
    read: false,
  },
  {
    notificationId: 'ntf_000000000001',
    audience: { kind: 'administrators' },
    tidings: { kind: 'channel_disabled', channelId: 'chn_000000000001', name: 'OpenAI', by: 'operator', reason: '' },
    raisedAt: at(now, 3 * DAY),
    read: true,
  },
];

export const sampleRouting = (now: number): RoutingRules => ({
  changedAt: at(now, DAY),
  revision: 2,
  rules: [
    {
      models: ['gpt-*', 'o3', 'o4-mini', 'claude-*', 'gemini-*'],
      groups: ['pro'],
      strategy: 'lowest_latency',
      affinity: ['prompt_cache_key', 'session'],
      hedgeMs: 2_000,
    },
    { models: null, groups: null, strategy: 'round_robin', affinity: [], hedgeMs: null },
    { models: [LONG_NAME], groups: null, strategy: 'lowest_cost', affinity: ['user'], hedgeMs: null },
  ],
});

export const sampleSimulation = (now: number): Simulated => ({
  model: 'gpt-5.2',
  strategy: 'weighted',
  affinityBy: ['prompt_cache_key'],
  hedgeMs: null,
  factsOf: 'this_process',
  draws: 10_000,
  unserved: 0,
  considered: sampleChannels(now)
    .slice(0, 3)
    .map(({ channelId, settings }, place) => ({
      channelId,
      name: settings.name,
      verdict: (['chosen', 'lower_priority', 'circuit_open'] as const)[place]!,
      odds: place === 0 ? 1 : null,
      upstreamModel: 'gpt-5.2-2026',
      priority: settings.priority,
      weight: settings.weight,
      costRatio: settings.costRatio,
      inFlight: 0,
      latencyMs: null,
      calls: place === 0 ? 10_000 : 0,
    })),
});

export const sampleLimits = (): Limits => ({
  revision: 4,
  policy: {
    whenStoreAway: 'perProcess',
    rules: [
      {
        id: 'free-tokens',
        name: 'Free tier',
        enabled: true,
        per: ['user'],
        scope: { groups: ['free', 'trial'], models: ['gpt-*'] },
        action: { kind: 'refuse', message: 'The free tier is used up for this minute.' },
        measure: 'tokens',
        amount: 20_000,
        window: 'minute',
        algorithm: 'tokenBucket',
        burst: 40_000,
      },
      {
        id: 'spend',
        name: LONG_NAME.slice(0, 100),
        enabled: true,
        per: ['key', 'model'],
        scope: {},
        action: { kind: 'model', model: 'gpt-5.2-mini' },
        measure: 'money',
        amount: nano(12.5),
        window: 'day',
        algorithm: 'leakyBucket',
        burst: 250_000,
      },
      {
        id: 'at-once',
        name: 'Calls at once',
        enabled: false,
        per: [],
        scope: { addresses: ['10.0.0.0/8', '2001:db8::/32'], users: ['usr_1', 'usr_2', 'usr_3', 'usr_4', 'usr_5'] },
        action: { kind: 'wait', mostWaiting: 50, longestMs: 2_500 },
        measure: 'inFlight',
        amount: 1,
      },
    ],
  },
});

export const sampleTasks = (now: number): Task[] => {
  const rows: readonly Partial<Task>[] = [
    { status: 'in_progress', percent: 40 },
    { status: 'queued', model: 'kling-v2', shape: 'kling', action: 'text2video', platform: 'kling', seconds: 5 },
    { status: 'succeeded', percent: 100, endedAt: at(now, 4 * 60_000) },
    {
      status: 'failed',
      model: 'suno_music',
      shape: 'suno',
      action: 'music',
      platform: 'suno',
      seconds: null,
      size: null,
      price: nano(0.05),
      refunded: nano(0.05),
      failure: { code: 'upstream_failed', reason: 'The lyrics were refused by moderation.' },
      endedAt: at(now, 40 * 60_000),
    },
    {
      status: 'cancelled',
      shape: 'generic',
      failure: { code: 'cancelled', reason: 'The upstream is down for the day.' },
      endedAt: at(now, HOUR),
    },
    {
      status: 'expired',
      model: 'mj_imagine',
      shape: 'midjourney',
      action: 'IMAGINE',
      platform: 'midjourney',
      seconds: null,
      size: null,
      price: nano(0.08),
      refunded: '0',
      failure: { code: 'expired', reason: 'Nothing was heard of its end in time.' },
      endedAt: at(now, 2 * HOUR),
    },
  ];
  return rows.map((more, index) => ({
    taskId: `task_${(index + 1).toString(36).padStart(12, '0')}`,
    userId: 'usr_0000admin',
    tokenId: 'key_000000000001',
    requestId: `req_task${index}`,
    model: 'sora-2',
    shape: 'openai',
    action: 'generate',
    platform: 'openai',
    channelId: `chn_${((index % 3) + 1).toString(36).padStart(12, '0')}`,
    status: 'submitted',
    percent: 0,
    price: nano(0.8),
    refunded: null,
    seconds: 8,
    size: '1280x720',
    failure: null,
    submittedAt: at(now, (index + 1) * 11 * 60_000),
    expiresAt: at(now, -20 * HOUR),
    endedAt: null,
    ...more,
  }));
};

export const sampleExports = (now: number): readonly Export[] => {
  const file = (name: string, rows: number) => ({
    name,
    position: '48211',
    rows,
    bytes: rows * 40,
    sha256: 'ab'.repeat(32),
    expiresAt: at(now, -6 * DAY),
  });
  const common = { requestedAt: at(now, 600_000), done: null, file: null, reason: null };
  return [
    {
      ...common,
      exportId: 'exp_000000000004',
      rows: { of: 'requests', owner: 'everybody' },
      format: 'jsonl',
      state: 'requested',
      done: 12_000,
    },
    {
      ...common,
      exportId: 'exp_000000000003',
      rows: { of: 'journal', owner: 'usr_0000admin', view: 'statement', from: at(now, 30 * DAY), to: at(now, 0) },
      format: 'csv',
      state: 'completed',
      file: file('exp_000000000003.csv.gz', 4_812),
    },
    {
      ...common,
      exportId: 'exp_000000000002',
      rows: { of: 'journal', owner: 'everybody', view: 'entries' },
      format: 'csv',
      state: 'failed',
      reason: 'ENOSPC: no space left on device, write',
    },
    {
      ...common,
      exportId: 'exp_000000000001',
      rows: { of: 'requests', owner: 'usr_0000admin' },
      format: 'csv',
      state: 'expired',
      file: file('x', 7),
    },
  ];
};
