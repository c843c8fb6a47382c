import { randomUUID } from 'node:crypto';
import { channelStream } from '../../../../domain/channel/channel.ts';
import { encodeEvent } from '../../../../domain/kernel/event-codec.ts';
import { accountStream } from '../../../../domain/ledger/account.ts';
import { leaseStream } from '../../../../domain/ledger/lease.ts';
import { dayOf } from '../../../../domain/ledger/time-window.ts';
import { groupRatiosStream } from '../../../../domain/pricing/group-ratios.ts';
import { priceListStream } from '../../../../domain/pricing/price-list.ts';
import { tokenStream } from '../../../../domain/token/token.ts';
import { userStream } from '../../../../domain/user/user.ts';
import type { Position } from '../../../../schemas/event-envelope.ts';
import type { DomainEvent } from '../../../../schemas/events/catalogue.ts';
import type { ChannelSettings } from '../../../../schemas/events/channel.ts';
import { KeyHash, UNRESTRICTED } from '../../../../schemas/events/token.ts';
import {
  AttemptId,
  ChannelId,
  ChannelKeyId,
  CommandId,
  EventId,
  LeaseId,
  PriceListId,
  RequestId,
  TokenId,
  UserId,
  type StreamName,
} from '../../../../schemas/ids.ts';
import type { Money } from '../../../../schemas/money.ts';
import { RATIO_ONE, Ratio } from '../../../../schemas/price.ts';
import { Sealed } from '../../../../schemas/sealed.ts';
import type { Usage } from '../../../../schemas/usage.ts';
import { memoryLog, type MemoryLog } from '../../../support/memory-log.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** The moment at which the shop is looked at: the evening in London, the next morning in Shanghai. */
export const NOW = Date.parse('2026-03-10T20:00:00.000Z');
export const clock = { now: (): number => NOW };

export const money = (amount: number): Money => BigInt(amount) as Money;
export const at = (moment: number): string => new Date(moment).toISOString();

const ada = UserId.parse('usr_1ada');
const bob = UserId.parse('usr_2bob');
const cyd = UserId.parse('usr_3cyd');
export const PEOPLE = { ada, bob, cyd };
export const ZONES: ReadonlyMap<UserId, string> = new Map([
  [ada, 'UTC'],
  [bob, 'Asia/Shanghai'],
]);

export const KEYS = {
  alpha: TokenId.parse('key_01'),
  beta: TokenId.parse('key_02'),
  gamma: TokenId.parse('key_03'),
  paused: TokenId.parse('key_04'),
  past: TokenId.parse('key_05'),
  lost: TokenId.parse('key_06'),
  drained: TokenId.parse('key_07'),
};
export const KEY_OWNERS: ReadonlyMap<TokenId, UserId> = new Map([
  [KEYS.alpha, ada],
  [KEYS.beta, bob],
  [KEYS.gamma, bob],
  [KEYS.paused, bob],
  [KEYS.past, bob],
  [KEYS.lost, bob],
  [KEYS.drained, ada],
]);

export const CHANNELS = {
  main: ChannelId.parse('chn_1'),
  vip: ChannelId.parse('chn_2'),
  off: ChannelId.parse('chn_3'),
  gone: ChannelId.parse('chn_4'),
};
export const LISTS = {
  old: PriceListId.parse('prl_1'),
  current: PriceListId.parse('prl_2'),
  next: PriceListId.parse('prl_3'),
  mistaken: PriceListId.parse('prl_4'),
};

/** More than a chart has colours for. */
export const MODELS = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'] as const;
export const SECRET = Sealed.parse('env1.0123456789abcdef.wrapped.secret');

/** What really happened in one call, as whoever checks the reads knows it. */
export interface Happened {
  readonly requestId: RequestId;
  readonly leaseId: LeaseId;
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly model: string;
  readonly channelId: ChannelId;
  readonly endpoint: 'chat' | 'embeddings';
  readonly startedAt: number;
  readonly state: 'charged' | 'released' | 'running';
  /** `null` when it runs, or ended with its holder. */
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly firstByteMs: number | null;
  readonly usage: Usage;
  readonly held: Money;
  readonly amount: Money;
  readonly upstreamCost: Money;
  readonly overdrawn: Money;
  refunded: Money;
  /** Of the event that ended it, or that began it while it runs. */
  readonly position: Position;
}

export interface Shop {
  readonly log: MemoryLog;
  /** In the order of the log. */
  readonly calls: readonly Happened[];
  readonly balance: ReadonlyMap<UserId, bigint>;
  readonly held: ReadonlyMap<UserId, bigint>;
}

interface Lease {
  readonly leaseId: LeaseId;
  readonly day: string;
  spent: bigint;
}

const LEASE_AMOUNT = 1_000_000;
const HOLD = 3_000;

/** A shop's history: some days of calls of two people, refunds, an overdraft, calls that failed, and one that still runs. */
export const openShop = async (): Promise<Shop> => {
  let now = Date.parse('2026-02-27T00:00:00.000Z');
  const log = memoryLog({ now: () => now });
  const calls: Happened[] = [];
  const balance = new Map<UserId, bigint>();
  const held = new Map<UserId, bigint>();
  const move = (sums: Map<UserId, bigint>, userId: UserId, amount: bigint): void =>
    void sums.set(userId, (sums.get(userId) ?? 0n) + amount);

  const record = async (stream: StreamName, event: DomainEvent): Promise<Position> => {
    const eventId = EventId.parse(randomUUID());
    const [outcome] = await log.append([
      {
        stream,
        expectedRevision: 'any',
        events: [
          {
            eventId,
            ...encodeEvent(event),
            metadata: {
              correlationId: 'shop',
              causationId: 'shop',
              commandId: CommandId.parse(eventId),
              actor: { kind: 'system', id: 'shop' },
              tenant: 'platform',
              occurredAt: at(now),
            },
          },
        ],
      },
    ]);
    if (outcome?.outcome !== 'appended') throw new Error('a log in memory takes everything');
    return outcome.position;
  };

  // People and their accounts; cyd has none yet.
  for (const [userId, displayName, role, group] of [
    [ada, 'Ada Admin', 'admin', 'default'],
    [bob, 'Bob', 'user', 'vip'],
    [cyd, 'Cyd', 'user', 'default'],
  ] as const) {
    await record(userStream(userId), {
      type: 'Registered',
      data: { userId, email: `${displayName.slice(0, 3).toLowerCase()}@example.com`, displayName, role, group },
    });
    const timeZone = ZONES.get(userId);
    if (timeZone === undefined) continue;
    await record(accountStream(userId), { type: 'AccountOpened', data: { userId, timeZone } });
    await record(accountStream(userId), {
      type: 'CreditGranted',
      data: { userId, amount: money(50_000_000), source: 'grant', reason: 'welcome' },
    });
    move(balance, userId, 50_000_000n);
  }
  await record(userStream(bob), { type: 'CredentialsChanged', data: { userId: bob, passwordHash: SECRET } });
  await record(userStream(cyd), { type: 'Suspended', data: { userId: cyd, reason: 'unpaid' } });
  await record(accountStream(bob), { type: 'CreditAdjusted', data: { userId: bob, amount: money(-1_000_000), reason: 'counted twice' } });
  move(balance, bob, -1_000_000n);

  // Keys
  const names = new Map(Object.entries(KEYS).map(([name, tokenId]) => [tokenId, name]));
  for (const [tokenId, userId] of KEY_OWNERS) {
    await record(tokenStream(tokenId), {
      type: 'TokenIssued',
      data: {
        tokenId,
        userId,
        name: names.get(tokenId) ?? '',
        keyHash: KeyHash.parse(tokenId.slice(4).padStart(64, 'a')),
        keyPrefix: `sk-ob-${tokenId.slice(4)}`,
        expiresAt: tokenId === KEYS.past ? at(NOW - HOUR_MS) : null,
        restrictions: tokenId === KEYS.gamma ? { models: ['m1'], endpoints: ['chat'], addresses: null } : UNRESTRICTED,
      },
    });
  }
  await record(tokenStream(KEYS.paused), { type: 'TokenDisabled', data: { tokenId: KEYS.paused, reason: 'on holiday' } });
  await record(tokenStream(KEYS.lost), { type: 'TokenRevoked', data: { tokenId: KEYS.lost, reason: 'in a repository' } });
  await record(tokenStream(KEYS.drained), { type: 'TokenExhausted', data: { tokenId: KEYS.drained } });
  for (const [tokenId, window, amount] of [
    [KEYS.beta, 'total', 30_000],
    [KEYS.beta, 'day', 9_000],
    [KEYS.gamma, 'total', 40_000_000_000],
    [KEYS.drained, 'total', 0],
  ] as const) {
    const userId = KEY_OWNERS.get(tokenId) ?? ada;
    await record(accountStream(userId), {
      type: 'CapSet',
      data: { userId, scope: { kind: 'key', tokenId }, window, amount: money(amount) },
    });
  }
  await record(accountStream(bob), {
    type: 'CapSet',
    data: { userId: bob, scope: { kind: 'user' }, window: 'month', amount: money(70_000) },
  });

  // Channels
  const settings = (name: string, models: readonly string[], groups: string[] | null, priority: number): ChannelSettings => ({
    name,
    provider: name === 'main' ? 'openai' : 'sandbox',
    baseUrl: 'https://api.example.com/v1',
    models: models.map((model) => ({ model, upstreamModel: `up-${model}` })),
    priority,
    weight: 1,
    groups,
    costRatio: RATIO_ONE,
  });
  for (const [channelId, its] of [
    [CHANNELS.main, settings('main', ['m0', 'm1', 'm2'], null, 5)],
    [CHANNELS.vip, settings('vip', ['m3'], ['vip'], 9)],
    [CHANNELS.off, settings('off', ['m4'], null, 0)],
    [CHANNELS.gone, settings('gone', ['m5'], null, 0)],
  ] as const) {
    await record(channelStream(channelId), { type: 'ChannelAdded', data: { channelId, settings: its } });
    await record(channelStream(channelId), {
      type: 'ChannelKeyAdded',
      data: { channelId, keyId: ChannelKeyId.parse(`chk_${channelId.slice(4)}`), secret: SECRET, hint: '…cret' },
    });
    await record(channelStream(channelId), { type: 'ChannelEnabled', data: { channelId } });
  }
  await record(channelStream(CHANNELS.off), {
    type: 'ChannelDisabled',
    data: { channelId: CHANNELS.off, by: 'platform', reason: 'refused the key' },
  });
  await record(channelStream(CHANNELS.gone), { type: 'ChannelRemoved', data: { channelId: CHANNELS.gone } });
  await record(channelStream(CHANNELS.main), {
    type: 'ChannelTested',
    data: { channelId: CHANNELS.main, ok: true, model: 'm0', latencyMs: 12, message: '' },
  });

  // Prices
  for (const [priceListId, title, effectiveFrom] of [
    [LISTS.old, 'Old', '2026-01-01T00:00:00.000Z'],
    [LISTS.current, 'Current', '2026-03-01T00:00:00.000Z'],
    [LISTS.next, 'Next', '2026-06-01T00:00:00.000Z'],
    [LISTS.mistaken, 'Mistaken', '2026-03-05T00:00:00.000Z'],
  ] as const) {
    await record(priceListStream(priceListId), {
      type: 'PriceListPublished',
      data: {
        priceListId,
        title,
        effectiveFrom,
        asOf: '2026-01-01',
        source: 'test',
        models: [
          ...[...MODELS].reverse().map((model) => ({
            model,
            kind: 'chat' as const,
            rates: { input: money(2_000_000), output: money(6_000_000) },
            tiers: [{ abovePromptTokens: 1_000, rates: { input: money(4_000_000) } }],
          })),
          { model: 'Embed', kind: 'embedding' as const, rates: { input: money(100) } },
        ],
      },
    });
  }
  await record(priceListStream(LISTS.mistaken), { type: 'PriceListWithdrawn', data: { priceListId: LISTS.mistaken, reason: 'typing' } });
  await record(groupRatiosStream, { type: 'GroupRatioSet', data: { group: 'vip', ratio: Ratio.parse(800_000) } });

  // Calls
  const leases = new Map<TokenId, Lease>();
  const closeLease = async (userId: UserId, tokenId: TokenId, { leaseId, spent }: Lease): Promise<void> => {
    const [whole, returned] = [spent as Money, (BigInt(LEASE_AMOUNT) - spent) as Money];
    await record(leaseStream(leaseId), { type: 'LeaseClosed', data: { leaseId, userId, tokenId, spent: whole, reason: 'ended' } });
    await record(accountStream(userId), { type: 'SpendLeaseSettled', data: { userId, leaseId, tokenId, spent: whole, returned } });
    move(held, userId, -returned);
  };
  const leaseFor = async (userId: UserId, tokenId: TokenId): Promise<Lease> => {
    const day = dayOf(now, ZONES.get(userId) ?? 'UTC');
    const open = leases.get(tokenId);
    if (open?.day === day) return open;
    if (open !== undefined) await closeLease(userId, tokenId, open);
    const lease: Lease = { leaseId: LeaseId.parse(`lse_${tokenId.slice(4)}-${day}`), day, spent: 0n };
    leases.set(tokenId, lease);
    const { leaseId } = lease;
    const amount = money(LEASE_AMOUNT);
    await record(accountStream(userId), {
      type: 'SpendLeaseGranted',
      data: { userId, leaseId, tokenId, holder: 'shop', amount, day, admitsUntil: at(now + HOUR_MS), expiresAt: at(now + DAY_MS) },
    });
    await record(leaseStream(leaseId), { type: 'LeaseOpened', data: { leaseId, userId, tokenId, amount, day } });
    move(held, userId, BigInt(LEASE_AMOUNT));
    return lease;
  };

  const call = async (
    index: number,
    startedAt: number,
    tokenId: TokenId,
    kind: 'charged' | 'failed' | 'lost' | 'running',
  ): Promise<void> => {
    now = startedAt;
    const userId = KEY_OWNERS.get(tokenId) ?? ada;
    const lease = await leaseFor(userId, tokenId);
    const { leaseId } = lease;
    const requestId = RequestId.parse(`req_${String(index).padStart(4, '0')}`);
    // The dearest models first, so that which ones a chart folds is known.
    const model = MODELS[index % MODELS.length] ?? 'm0';
    const channelId = index % 3 === 0 ? CHANNELS.vip : CHANNELS.main;
    const endpoint = index % 4 === 0 ? ('embeddings' as const) : ('chat' as const);
    const priceListId = startedAt < Date.parse('2026-03-01') ? LISTS.old : LISTS.current;
    const heldFor = money(HOLD);
    const begun = await record(leaseStream(leaseId), {
      type: 'QuotaReserved',
      data: { leaseId, userId, tokenId, requestId, model, priceListId, amount: heldFor },
    });
    const common = { requestId, leaseId, userId, tokenId, model, channelId, startedAt, held: heldFor };
    const nothing = {
      errorCode: null,
      firstByteMs: null,
      usage: {},
      amount: money(0),
      upstreamCost: money(0),
      overdrawn: money(0),
      refunded: money(0),
    };
    if (kind === 'running') {
      calls.push({ ...common, ...nothing, endpoint, state: 'running', status: null, position: begun });
      return;
    }
    now = startedAt + 700;
    if (kind === 'lost') {
      const position = await record(leaseStream(leaseId), {
        type: 'QuotaReleased',
        data: { leaseId, userId, tokenId, requestId, model, reason: 'holder_lost', reconcile: true },
      });
      calls.push({ ...common, ...nothing, endpoint, state: 'released', status: null, position });
      return;
    }
    const failed = kind === 'failed';
    const status = failed ? 502 : 200;
    const firstByteMs = failed ? null : 100 + index * 7;
    const facts = {
      dialect: 'openai' as const,
      endpoint,
      streamed: index % 2 === 0,
      status,
      startedAt: at(startedAt),
      firstByteMs,
      durationMs: 700,
      ...(failed ? { errorCode: 'upstream_failed' } : {}),
      attempts: [
        {
          attemptId: AttemptId.parse(`att_${index}`),
          channelId,
          channelKeyId: null,
          outcome: failed ? ('failed' as const) : ('answered' as const),
          status,
          durationMs: 600,
        },
      ],
    };
    if (failed) {
      const position = await record(leaseStream(leaseId), {
        type: 'QuotaReleased',
        data: { leaseId, userId, tokenId, requestId, model, reason: 'upstream_failed', reconcile: false, call: facts },
      });
      calls.push({ ...common, ...nothing, endpoint, state: 'released', status, errorCode: 'upstream_failed', position });
      return;
    }
    const usage: Usage = { input: 100 + index, cachedInput: index % 5, output: 10, reasoning: index % 2 };
    const computed = index % 10 === 7 ? HOLD + 500 : 2_000 - (index % MODELS.length) * 100 + index;
    const amount = money(Math.min(computed, HOLD));
    const overdrawn = money(Math.max(0, computed - HOLD));
    const upstreamCost = money(Math.floor(computed / 2));
    const position = await record(leaseStream(leaseId), {
      type: 'QuotaDebited',
      data: {
        ...{ leaseId, userId, tokenId, requestId, model, channelId, priceListId, usage, amount, upstreamCost, call: facts },
        attemptId: AttemptId.parse(`att_${index}`),
        groupRatio: RATIO_ONE,
        basis: 'reported',
        computed: money(computed),
      },
    });
    lease.spent += amount;
    move(held, userId, -amount);
    move(balance, userId, -amount);
    if (overdrawn > 0n)
      await record(accountStream(userId), {
        type: 'QuotaOverdrawn',
        data: { userId, leaseId, tokenId, requestId, model, amount: overdrawn },
      });
    const happened: Happened = {
      ...common,
      ...{ endpoint, state: 'charged', status, errorCode: null, firstByteMs, usage, amount, upstreamCost, overdrawn, position },
      refunded: money(0),
    };
    calls.push(happened);
    if (index % 13 !== 0) return;
    for (const refund of [money(150), money(50)]) {
      await record(accountStream(userId), {
        type: 'ChargeRefunded',
        data: { userId, leaseId, requestId, model, amount: refund, reason: 'it was nonsense' },
      });
      happened.refunded = (happened.refunded + refund) as Money;
      move(balance, userId, refund);
    }
  };

  const first = Date.parse('2026-02-27T09:30:00.000Z');
  const last = NOW - 20_000;
  const count = 60;
  const users = [KEYS.alpha, KEYS.beta, KEYS.beta, KEYS.gamma] as const;
  for (let index = 0; index < count; index++) {
    // Closer together towards the end, so that single hours hold several calls.
    const age = Math.floor(((last - first) * (count - 1 - index) ** 3) / (count - 1) ** 3);
    const kind = index === 31 ? 'lost' : index % 9 === 4 ? 'failed' : 'charged';
    await call(index, last - age, users[index % users.length] ?? KEYS.alpha, kind);
  }
  await call(count, NOW - 5_000, KEYS.beta, 'running');
  return { log, calls, balance, held };
};
