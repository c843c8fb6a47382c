import fc from 'fast-check';
import { newEvents } from '../../commands/run-command.ts';
import { channelOf, channelStream, type ChannelCommand } from '../../domain/channel/channel.ts';
import { fileOf, fileStream, type FileCommand } from '../../domain/file/file.ts';
import { fold, type Decider } from '../../domain/kernel/decider.ts';
import { accountOf, accountStream, type AccountCommand } from '../../domain/ledger/account.ts';
import { leaseStream } from '../../domain/ledger/lease.ts';
import { groupRatios, groupRatiosStream } from '../../domain/pricing/group-ratios.ts';
import { priceListOf, priceListStream } from '../../domain/pricing/price-list.ts';
import { tokenOf, tokenStream, type TokenCommand } from '../../domain/token/token.ts';
import { userOf, userStream, type UserCommand } from '../../domain/user/user.ts';
import { vectorFile, vectorFileStream, type VectorFileStep } from '../../domain/vectors/vector-file.ts';
import { vectorStore, vectorStoreStream, type VectorStoreCommand } from '../../domain/vectors/vector-store.ts';
import { isRefusal } from '../../schemas/errors.ts';
import type { DomainEvent, EventOf, VectorFileEvent } from '../../schemas/events/catalogue.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import { UNRESTRICTED, type KeyHash } from '../../schemas/events/token.ts';
import type {
  AttemptId,
  ChannelId,
  ChannelKeyId,
  CommandId,
  FileId,
  LeaseId,
  PriceListId,
  RequestId,
  StreamName,
  TokenId,
  UserId,
  VectorFileId,
  VectorStoreId,
} from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Day } from '../../schemas/time.ts';
import { RATIO_ONE, type Ratio } from '../../schemas/price.ts';
import type { Sealed } from '../../schemas/sealed.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { StreamAppend } from '../../commands/ports/event-log.ts';

/** One append of a history: events that were decided together. */
export interface HistoryStep {
  readonly stream: StreamName;
  readonly events: readonly DomainEvent[];
  /** ISO 8601. */
  readonly occurredAt: string;
}

/** Appends in the order in which they were made. */
export type History = readonly HistoryStep[];

const KINDS = [
  'register',
  'changeUser',
  'issueToken',
  'changeToken',
  'addChannel',
  'changeChannel',
  'publishPrices',
  'withdrawPrices',
  'setRatio',
  'credit',
  'cap',
  'grantLease',
  'reserve',
  'debit',
  'release',
  'extend',
  'close',
  'refund',
  'vectors',
] as const;

type Kind = (typeof KINDS)[number];

/** What happens next, as far as it can: numbers are taken modulo what there is to choose from. */
interface Step {
  readonly kind: Kind;
  readonly a: number;
  readonly b: number;
  readonly amount: number;
  readonly waitMs: number;
}

/** Calls make most of a log, and so of a history. */
const WEIGHTS: Readonly<Partial<Record<Kind, number>>> = {
  grantLease: 4,
  reserve: 10,
  debit: 8,
  release: 3,
  close: 2,
  credit: 3,
  vectors: 3,
};

const step = fc.record<Step>({
  kind: fc.oneof(...KINDS.map((kind) => ({ weight: WEIGHTS[kind] ?? 1, arbitrary: fc.constant(kind) }))),
  a: fc.nat(1_000),
  b: fc.nat(1_000),
  amount: fc.nat(2_000_000_000),
  waitMs: fc.oneof({ weight: 8, arbitrary: fc.nat(5_000) }, { weight: 1, arbitrary: fc.nat(40_000_000) }),
});

interface OpenCall {
  readonly requestId: RequestId;
  readonly amount: Money;
  readonly model: string;
  readonly startedAt: string;
}

interface OpenLease {
  readonly leaseId: LeaseId;
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly day: Day;
  free: bigint;
  spent: bigint;
  readonly calls: OpenCall[];
}

const sealed = (name: string): Sealed => `env1.0123456789abcdef.${name}.${name}` as Sealed;
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'text-embedding-3-small'] as const;
const ZONES = ['UTC', 'Asia/Shanghai', 'America/Los_Angeles', 'Pacific/Apia'] as const;
const GROUPS = ['default', 'vip'] as const;

const pick = <Item>(items: readonly Item[], index: number): Item | undefined =>
  items.length === 0 ? undefined : items[index % items.length];

/** Plays steps against the deciders, so that whatever comes out could have been recorded. */
class Play {
  readonly steps: HistoryStep[] = [];
  readonly #streams = new Map<StreamName, DomainEvent[]>();
  #now = Date.UTC(2026, 2, 28, 20);
  #count = 0;
  readonly #users: UserId[] = [];
  readonly #tokens: { readonly tokenId: TokenId; readonly userId: UserId }[] = [];
  readonly #channels: ChannelId[] = [];
  readonly #lists: PriceListId[] = [];
  readonly #stores: VectorStoreId[] = [];
  readonly #leases: OpenLease[] = [];
  readonly #charges: {
    readonly userId: UserId;
    readonly leaseId: LeaseId;
    readonly requestId: RequestId;
    readonly model: string;
    readonly amount: Money;
    readonly counted: { readonly tokenId: TokenId; readonly day: Day };
  }[] = [];

  play({ kind, a, b, amount, waitMs }: Step): void {
    this.#now += waitMs;
    this[kind](a, b, amount);
  }

  register(_a: number, b: number): void {
    const userId = this.#id<UserId>('usr');
    this.#users.push(userId);
    const command: UserCommand = {
      kind: 'register',
      email: `${userId.replace('_', '.')}@example.com`,
      displayName: `User ${userId}`,
      role: b % 5 === 0 ? 'admin' : 'user',
      group: pick(GROUPS, b) ?? 'default',
      passwordHash: sealed('first'),
    };
    this.#decide(userStream(userId), userOf(userId), command);
    this.#account(userId, { kind: 'openAccount', timeZone: pick(ZONES, b) ?? 'UTC' });
    this.#account(userId, { kind: 'grantCredit', amount: 5_000_000_000n as Money, source: 'grant', reason: 'welcome' });
  }

  changeUser(a: number, b: number): void {
    const userId = pick(this.#users, a);
    if (userId === undefined) return;
    const commands: readonly UserCommand[] = [
      { kind: 'changeProfile', displayName: `Name ${b}` },
      { kind: 'assignRole', role: b % 2 === 0 ? 'admin' : 'user' },
      { kind: 'assignGroup', group: pick(GROUPS, b >> 3) ?? 'default' },
      { kind: 'changeCredentials', passwordHash: sealed(`hash${b}`) },
      { kind: 'suspend', reason: 'a test' },
      { kind: 'reinstate' },
    ];
    this.#decide(userStream(userId), userOf(userId), pick(commands, b) as UserCommand);
  }

  issueToken(a: number, b: number): void {
    const userId = pick(this.#users, a);
    if (userId === undefined) return this.register(a, b);
    const tokenId = this.#id<TokenId>('key');
    this.#tokens.push({ tokenId, userId });
    const keyHash = tokenId.replace(/\D/g, '').padStart(64, 'a') as KeyHash;
    this.#decide(tokenStream(tokenId), tokenOf(tokenId), {
      kind: 'issue',
      userId,
      name: `key ${b}`,
      keyHash,
      keyPrefix: 'sk-obl-abc',
      expiresAt: b % 3 === 0 ? new Date(this.#now + 86_400_000).toISOString() : null,
      restrictions: UNRESTRICTED,
    });
  }

  changeToken(a: number, b: number): void {
    const token = pick(this.#tokens, a);
    if (token === undefined) return this.issueToken(a, b);
    const commands: readonly TokenCommand[] = [
      { kind: 'renew', name: `renamed ${b}`, expiresAt: null },
      { kind: 'restrict', restrictions: { models: [pick(MODELS, b) ?? 'gpt-4o'], endpoints: ['chat'], addresses: null } },
      { kind: 'disable', reason: 'paused' },
      { kind: 'enable' },
      { kind: 'revoke', reason: 'lost' },
      { kind: 'restore' },
      { kind: 'exhaust' },
    ];
    this.#decide(tokenStream(token.tokenId), tokenOf(token.tokenId), pick(commands, b) as TokenCommand);
  }

  addChannel(_a: number, b: number): void {
    const channelId = this.#id<ChannelId>('chn');
    this.#channels.push(channelId);
    this.#decide(channelStream(channelId), channelOf(channelId), {
      kind: 'add',
      settings: this.#settings(b),
      keys: [{ keyId: this.#id<ChannelKeyId>('chk'), secret: sealed(`key${b}`), hint: '…abcd' }],
    });
  }

  changeChannel(a: number, b: number): void {
    const channelId = pick(this.#channels, a);
    if (channelId === undefined) return this.addChannel(a, b);
    const keyOf = (): ChannelKeyId =>
      (this.#streams.get(channelStream(channelId)) ?? [])
        .flatMap((event) => (event.type === 'ChannelKeyAdded' ? [event.data.keyId] : []))
        .at(-1) ?? ('chk_none' as ChannelKeyId);
    const commands: readonly ChannelCommand[] = [
      { kind: 'change', settings: this.#settings(b) },
      { kind: 'addKey', key: { keyId: this.#id<ChannelKeyId>('chk'), secret: sealed(`more${b}`), hint: '…wxyz' } },
      { kind: 'disableKey', keyId: keyOf(), by: 'operator', reason: 'refused' },
      { kind: 'restoreKey', keyId: keyOf() },
      { kind: 'removeKey', keyId: keyOf() },
      { kind: 'enable' },
      { kind: 'disable', by: b % 2 === 0 ? 'operator' : 'platform', reason: 'a test' },
      { kind: 'changeHealth', to: b % 2 === 0 ? 'failing' : 'healthy', reason: 'seen' },
      { kind: 'recordTest', ok: b % 3 !== 0, model: 'gpt-4o', latencyMs: b, message: b % 3 === 0 ? 'refused' : '' },
      { kind: 'remove' },
    ];
    this.#decide(channelStream(channelId), channelOf(channelId), pick(commands, b) as ChannelCommand);
  }

  publishPrices(a: number, b: number): void {
    const priceListId = this.#id<PriceListId>('prl');
    this.#lists.push(priceListId);
    const models = MODELS.map((model, index) => ({
      model,
      kind: 'chat' as const,
      rates: { input: BigInt(1_000_000 + a * (index + 1)) as Money, output: BigInt(4_000_000 + b) as Money },
    }));
    this.#decide(priceListStream(priceListId), priceListOf(priceListId), {
      kind: 'publish',
      title: `List ${priceListId}`,
      effectiveFrom: new Date(this.#now + (a - 500) * 1_000).toISOString(),
      asOf: '2026-03-01',
      source: 'a test',
      models,
    });
  }

  withdrawPrices(a: number): void {
    const priceListId = pick(this.#lists, a);
    if (priceListId !== undefined)
      this.#decide(priceListStream(priceListId), priceListOf(priceListId), { kind: 'withdraw', reason: 'a mistake' });
  }

  setRatio(a: number, b: number): void {
    this.#decide(groupRatiosStream, groupRatios, {
      kind: 'setRatio',
      group: pick(GROUPS, a) ?? 'default',
      ratio: (RATIO_ONE + b * 1_000) as Ratio,
    });
  }

  credit(a: number, b: number, amount: number): void {
    const userId = pick(this.#users, a);
    if (userId === undefined) return this.register(a, b);
    const commands: readonly AccountCommand[] = [
      { kind: 'grantCredit', amount: BigInt(amount + 1) as Money, source: 'code', reason: 'a code' },
      { kind: 'adjustCredit', amount: BigInt(b % 2 === 0 ? amount : -amount) as Money, reason: 'a correction' },
      { kind: 'expireCredit', amount: BigInt(amount) as Money, source: 'grant' },
    ];
    this.#account(userId, pick(commands, b) as AccountCommand);
  }

  cap(a: number, b: number, amount: number): void {
    const token = pick(this.#tokens, a);
    if (token === undefined) return this.issueToken(a, b);
    const scope = b % 2 === 0 ? ({ kind: 'user' } as const) : ({ kind: 'key', tokenId: token.tokenId } as const);
    this.#account(token.userId, {
      kind: 'setCap',
      scope,
      window: pick(['day', 'month', 'total'] as const, b >> 1) ?? 'day',
      amount: b % 5 === 0 ? null : (BigInt(amount) as Money),
    });
  }

  grantLease(a: number, b: number, amount: number): void {
    const token = pick(this.#tokens, a);
    if (token === undefined) return this.issueToken(a, b);
    const leaseId = this.#id<LeaseId>('lse');
    const { tokenId, userId } = token;
    const wanted = BigInt(amount % 50_000_000) + 10n;
    const decided = this.#account(userId, {
      kind: 'grantSpendLease',
      leaseId,
      tokenId,
      holder: `holder-${b % 3}`,
      least: 10n as Money,
      needed: wanted as Money,
      ahead: 0n as Money,
      now: this.#now,
      admitsForMs: 30_000,
      graceMs: 15_000,
    });
    const granted = decided.find((event): event is EventOf<'SpendLeaseGranted'> => event.type === 'SpendLeaseGranted');
    if (granted === undefined) return;
    this.#append(leaseStream(leaseId), [
      { type: 'LeaseOpened', data: { leaseId, userId, tokenId, amount: granted.data.amount, day: granted.data.day } },
    ]);
    this.#leases.push({ leaseId, userId, tokenId, day: granted.data.day, free: granted.data.amount, spent: 0n, calls: [] });
  }

  reserve(a: number, b: number, amount: number): void {
    const lease = pick(this.#leases, a);
    if (lease === undefined) return this.grantLease(a, b, amount);
    if (lease.free <= 0n) return;
    const held = ((BigInt(amount) % lease.free) + 1n) as Money;
    lease.free -= held;
    const call: OpenCall = {
      requestId: this.#id<RequestId>('req'),
      amount: held,
      model: pick(MODELS, b) ?? 'gpt-4o',
      startedAt: new Date(this.#now).toISOString(),
    };
    lease.calls.push(call);
    const { leaseId, userId, tokenId } = lease;
    this.#append(leaseStream(leaseId), [
      {
        type: 'QuotaReserved',
        data: {
          leaseId,
          userId,
          tokenId,
          requestId: call.requestId,
          model: call.model,
          priceListId: this.#lists.at(-1) ?? ('prl_0' as PriceListId),
          amount: held,
        },
      },
    ]);
  }

  debit(a: number, b: number, amount: number): void {
    const lease = this.#leases.filter(({ calls }) => calls.length > 0).at(a % Math.max(this.#leases.length, 1));
    const call = lease?.calls.splice(b % Math.max(lease.calls.length, 1), 1)[0];
    if (lease === undefined || call === undefined) return this.reserve(a, b, amount);
    const { leaseId, userId, tokenId } = lease;
    const computed = (BigInt(amount) % (call.amount + call.amount / 8n + 1n)) as Money;
    const charged = computed < call.amount ? computed : call.amount;
    lease.free += call.amount - charged;
    lease.spent += charged;
    const channelId = pick(this.#channels, b) ?? ('chn_0' as ChannelId);
    const attemptId = this.#id<AttemptId>('att');
    const usage: Usage = {
      input: a,
      output: b,
      ...(a % 3 === 0 ? { cachedInput: b, reasoning: a } : {}),
      ...(b % 7 === 0 ? { call: 1 } : {}),
    };
    const { requestId, model } = call;
    this.#append(leaseStream(leaseId), [
      {
        type: 'QuotaDebited',
        data: {
          leaseId,
          userId,
          tokenId,
          requestId,
          model,
          channelId,
          attemptId,
          priceListId: this.#lists.at(-1) ?? ('prl_0' as PriceListId),
          groupRatio: RATIO_ONE,
          usage,
          basis: pick(['reported', 'estimated', 'held'] as const, b) ?? 'reported',
          amount: charged,
          computed,
          upstreamCost: (charged / 2n) as Money,
          call: this.#facts(call, channelId, attemptId, b, 200),
        },
      },
    ]);
    if (charged > 0n) this.#charges.push({ userId, leaseId, requestId, model, amount: charged, counted: { tokenId, day: lease.day } });
    if (computed > charged)
      this.#account(userId, { kind: 'recordOverdraft', leaseId, tokenId, requestId, model, amount: (computed - charged) as Money });
  }

  release(a: number, b: number, amount: number): void {
    const lease = this.#leases.filter(({ calls }) => calls.length > 0).at(a % Math.max(this.#leases.length, 1));
    const call = lease?.calls.shift();
    if (lease === undefined || call === undefined) return this.reserve(a, b, amount);
    lease.free += call.amount;
    const { leaseId, userId, tokenId } = lease;
    const isKnown = b % 4 !== 0;
    const facts = this.#facts(call, pick(this.#channels, b), this.#id<AttemptId>('att'), b, 502);
    this.#append(leaseStream(leaseId), [
      {
        type: 'QuotaReleased',
        data: {
          leaseId,
          userId,
          tokenId,
          requestId: call.requestId,
          model: call.model,
          reason: isKnown ? 'upstream_failed' : 'holder_lost',
          reconcile: !isKnown,
          ...(isKnown ? { call: facts } : {}),
        },
      },
    ]);
  }

  extend(a: number, b: number, amount: number): void {
    const lease = pick(this.#leases, a);
    if (lease === undefined) return this.grantLease(a, b, amount);
    this.#append(leaseStream(lease.leaseId), [
      { type: 'LeaseExtended', data: { leaseId: lease.leaseId, expiresAt: new Date(this.#now + 60_000).toISOString() } },
    ]);
  }

  close(a: number, b: number, amount: number): void {
    if (this.#leases.length === 0) return this.grantLease(a, b, amount);
    const [lease] = this.#leases.splice(a % this.#leases.length, 1);
    if (lease === undefined) return;
    const { leaseId, userId, tokenId, calls } = lease;
    const released = calls.map((call): DomainEvent => ({
      type: 'QuotaReleased',
      data: { leaseId, userId, tokenId, requestId: call.requestId, model: call.model, reason: 'holder_lost', reconcile: true },
    }));
    this.#append(leaseStream(leaseId), [
      ...released,
      {
        type: 'LeaseClosed',
        data: { leaseId, userId, tokenId, spent: lease.spent as Money, reason: calls.length > 0 ? 'holder_lost' : 'idle' },
      },
    ]);
    this.#account(userId, { kind: 'settleLease', leaseId, spent: lease.spent as Money });
  }

  refund(a: number, _b: number, amount: number): void {
    const charge = pick(this.#charges, a);
    if (charge === undefined) return;
    const { userId, leaseId, requestId, model, amount: charged, counted } = charge;
    this.#account(userId, {
      kind: 'refundCharge',
      leaseId,
      requestId,
      model,
      charged,
      amount: ((BigInt(amount) % charged) + 1n) as Money,
      reason: 'a complaint',
      counted,
    });
  }

  /** Files that are kept here, stores, and what becomes of files in them. */
  vectors(a: number, b: number, amount: number): void {
    const token = pick(this.#tokens, a);
    if (token === undefined) return this.issueToken(a, b);
    const { tokenId, userId } = token;
    const at = new Date(this.#now).toISOString();
    const known = pick(this.#stores, b);
    if (known === undefined || amount % 5 === 0) {
      const storeId = this.#id<VectorStoreId>('vs');
      this.#stores.push(storeId);
      const created = {
        storeId,
        userId,
        tokenId,
        at,
        name: b % 2 === 0 ? null : `store ${b}`,
        metadata: { n: `${a}` },
        model: 'text-embedding-3-small',
      };
      return void this.#decide(vectorStoreStream(storeId), vectorStore, { kind: 'create', created });
    }
    const fileId = `file-${b % 4}` as FileId;
    const storeSteps: readonly VectorStoreCommand[] = [
      { kind: 'change', name: `named ${b}`, metadata: undefined, at },
      { kind: 'delete', at },
    ];
    const fileSteps: readonly FileCommand[] = [
      { kind: 'keep', kept: { fileId, userId, tokenId, filename: `${b}.md`, purpose: 'assistants', bytes: amount, at } },
      { kind: 'delete', at },
    ];
    switch (amount % 7) {
      case 0:
        return void this.#decide(vectorStoreStream(known), vectorStore, pick(storeSteps, a) as VectorStoreCommand);
      case 1:
        return void this.#decide(fileStream(fileId), fileOf(fileId), pick(fileSteps, a) as FileCommand);
      default:
    }
    const stream = vectorFileStream(known, fileId);
    const { attached } = fold(vectorFile, (this.#streams.get(stream) ?? []) as VectorFileEvent[]);
    if (attached === null || amount % 3 === 0) {
      const vectorFileId = this.#id<VectorFileId>('vsf');
      const place = {
        vectorFileId,
        storeId: known,
        fileId,
        userId,
        tokenId,
        batchId: null,
        filename: `${b}.md`,
        model: 'text-embedding-3-small',
        at,
      };
      const attaching = { ...place, attributes: { year: a, open: b % 2 === 0 }, chunking: { size: 800, overlap: 400 } };
      return void this.#decide(stream, vectorFile, { kind: 'attach', attached: attaching });
    }
    const steps: readonly VectorFileStep[] = [
      { kind: 'complete', indexed: { chunks: a + 1, dimensions: 256, bytes: amount } },
      { kind: 'fail', code: 'server_error', message: `because of ${b}` },
      { kind: 'describe', attributes: { year: b } },
      { kind: 'cancel' },
      { kind: 'remove' },
    ];
    const { vectorFileId } = attached;
    this.#decide(stream, vectorFile, { kind: 'step', vectorFileId, step: pick(steps, a) as VectorFileStep, at });
  }

  #facts(
    call: OpenCall,
    channelId: ChannelId | undefined,
    attemptId: AttemptId,
    b: number,
    status: number,
  ): EventOf<'QuotaDebited'>['data']['call'] {
    const durationMs = Math.max(0, this.#now - Date.parse(call.startedAt));
    return {
      dialect: 'openai',
      endpoint: call.model.startsWith('text') ? 'embeddings' : 'chat',
      streamed: b % 2 === 0,
      status,
      startedAt: call.startedAt,
      firstByteMs: status === 200 ? Math.min(b, durationMs) : null,
      durationMs,
      ...(status === 200 ? {} : { errorCode: 'upstream_failed' }),
      attempts:
        channelId === undefined
          ? []
          : [{ attemptId, channelId, channelKeyId: null, outcome: status === 200 ? 'answered' : 'failed', status, durationMs }],
    };
  }

  #settings(b: number): ChannelSettings {
    return {
      name: `channel ${b}`,
      provider: 'openai',
      baseUrl: 'https://api.example.com/v1',
      models: MODELS.slice(0, 1 + (b % MODELS.length)).map((model) => ({ model, upstreamModel: model })),
      priority: b % 3,
      weight: b % 10,
      groups: b % 4 === 0 ? ['vip'] : null,
      costRatio: RATIO_ONE,
    };
  }

  #id<Id extends string>(prefix: string): Id {
    this.#count++;
    return `${prefix}_${this.#count.toString().padStart(6, '0')}` as Id;
  }

  #account(userId: UserId, command: AccountCommand): readonly DomainEvent[] {
    return this.#decide(accountStream(userId), accountOf(userId), command);
  }

  #decide<State, Command, Event extends DomainEvent>(
    stream: StreamName,
    decider: Decider<State, Command, Event>,
    command: Command,
  ): readonly DomainEvent[] {
    const decided = decider.decide(command, fold(decider, (this.#streams.get(stream) ?? []) as Event[]));
    if (isRefusal(decided) || decided.length === 0) return [];
    this.#append(stream, decided);
    return decided;
  }

  #append(stream: StreamName, events: readonly DomainEvent[]): void {
    this.#streams.set(stream, [...(this.#streams.get(stream) ?? []), ...events]);
    this.steps.push({ stream, events, occurredAt: new Date(this.#now).toISOString() });
  }
}

const playAll = (steps: readonly Step[]): History => {
  const play = new Play();
  for (const each of steps) play.play(each);
  return play.steps;
};

/** Histories that the deciders allow: people, keys, channels and prices come and go, and calls are made on leases. */
export const histories = ({
  minSteps = 1,
  maxSteps = 60,
}: { readonly minSteps?: number; readonly maxSteps?: number } = {}): fc.Arbitrary<History> =>
  fc.array(step, { minLength: minSteps, maxLength: maxSteps, size: 'max' }).map(playAll);

/** One long history, the same for the same seed. */
export const longHistory = (steps: number, seed: number): History =>
  fc.sample(histories({ minSteps: steps, maxSteps: steps }), { seed, numRuns: 1 })[0] as History;

/** The appends that record a history. `from` is how many of its steps are recorded already. */
export const appendsOf = (history: History, from = 0): readonly StreamAppend[] =>
  history.slice(from).map(({ stream, events, occurredAt }, index) => ({
    stream,
    expectedRevision: 'any',
    events: newEvents(events, {
      commandId: `history-${from + index}` as CommandId,
      correlationId: 'history',
      causationId: 'history',
      actor: { kind: 'system', id: 'history' },
      tenant: 'platform',
      occurredAt,
    }),
  }));
