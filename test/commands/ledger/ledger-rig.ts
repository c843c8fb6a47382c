import { AccountBook } from '../../../commands/ledger/account-book.ts';
import type { ChargeRequest, Hold, ReleaseRequest } from '../../../commands/ledger/hold.ts';
import { LeaseKeeper, type LeaseKeeperOptions } from '../../../commands/ledger/lease-keeper.ts';
import { DEFAULT_LEASE_POLICY, type LeasePolicy } from '../../../commands/ledger/lease-policy.ts';
import type { CommandContext } from '../../../commands/command-context.ts';
import type { Appender } from '../../../commands/ports/appender.ts';
import type { AppendOutcome, StreamAppend } from '../../../commands/ports/event-log.ts';
import { decodeEvent } from '../../../domain/kernel/event-codec.ts';
import type { AccountCommand } from '../../../domain/ledger/account.ts';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import type { AccountEvent, DomainEvent } from '../../../schemas/events/catalogue.ts';
import { AttemptId, ChannelId, PriceListId, RequestId, TokenId, UserId, type CommandId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { RATIO_ONE } from '../../../schemas/price.ts';
import { plainCall } from '../../ledger/lease-event-samples.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';

export const userId = UserId.parse('usr_1');
export const tokenId = TokenId.parse('key_1');
export const priceListId = PriceListId.parse('prl_1');
export const money = (amount: number | bigint): Money => BigInt(amount) as Money;

let count = 0;

export const context = (commandId = `cmd_${++count}`): CommandContext => ({
  commandId: commandId as CommandId,
  correlationId: commandId,
  causationId: commandId,
  actor: { kind: 'system', id: 'test' },
  tenant: userId,
  occurredAt: '2026-01-01T00:00:00.000Z',
});

/** Answers of the log for appends that a test wants to go otherwise than well. */
export type Interference = (append: StreamAppend) => Promise<AppendOutcome> | AppendOutcome | undefined;

/** One gateway process over a log in memory, its clock and its log in the hands of the test. */
export interface LedgerRig {
  readonly log: MemoryLog;
  readonly clock: { now: number };
  readonly appender: Appender;
  readonly book: AccountBook;
  readonly keeper: LeaseKeeper;
  interfere: Interference;
  /** Another process on the same log and clock. */
  another(holder: string, options?: Partial<LeaseKeeperOptions>): LeaseKeeper;
  /** Tells every process what has happened on accounts since it was last told. */
  news(): void;
  reserve(amount: number, more?: { least?: number; tokenId?: TokenId; keeper?: LeaseKeeper; name?: string }): Promise<Hold | Refusal>;
  hold(amount: number, more?: { least?: number; tokenId?: TokenId; keeper?: LeaseKeeper; name?: string }): Promise<Hold>;
  command(command: AccountCommand): Promise<void>;
  events<Type extends DomainEvent['type']>(type: Type): Extract<DomainEvent, { type: Type }>['data'][];
  types(category: string): string[];
}

export const charge = (computed: number | bigint, changes: Partial<ChargeRequest> = {}): ChargeRequest => ({
  channelId: ChannelId.parse('chn_1'),
  attemptId: AttemptId.parse('att_1'),
  priceListId,
  groupRatio: RATIO_ONE,
  usage: { input: 1 },
  basis: 'reported',
  computed: money(computed),
  upstreamCost: money(1),
  call: plainCall,
  ...changes,
});

export const release: ReleaseRequest = { reason: 'upstream_failed', reconcile: false, call: plainCall };

export const openLedger = async ({
  credit = 1_000,
  policy = {},
  ...options
}: { credit?: number; policy?: Partial<LeasePolicy> } & Partial<Omit<LeaseKeeperOptions, 'policy'>> = {}): Promise<LedgerRig> => {
  const log = memoryLog();
  const clock = { now: Date.parse('2026-01-01T12:00:00.000Z') };
  const listeners: { keeper: LeaseKeeper; seen: number }[] = [];
  const rig: { interfere: Interference } = { interfere: () => undefined };
  const appender: Appender = {
    append: async (append) => (await rig.interfere(append)) ?? ((await log.append([append]))[0] as AppendOutcome),
  };
  const newKeeper = (holder: string, more: Partial<LeaseKeeperOptions>): LeaseKeeper => {
    const keeper = new LeaseKeeper({
      book: new AccountBook(log, appender),
      appender,
      clock: { now: () => clock.now },
      ids: { next: (prefix) => `${prefix}_${++count}` },
      holder,
      policy: { ...DEFAULT_LEASE_POLICY, returnWaitMs: 5, ...policy },
      ...more,
    });
    listeners.push({ keeper, seen: log.events.length });
    return keeper;
  };
  const book = new AccountBook(log, appender);
  const keeper = newKeeper('gateway-1', options);
  const self: LedgerRig = {
    log,
    clock,
    appender,
    book,
    keeper,
    get interfere() {
      return rig.interfere;
    },
    set interfere(interference) {
      rig.interfere = interference;
    },
    another: (holder, more = {}) => newKeeper(holder, more),
    news: () => {
      for (const listener of listeners) {
        for (; listener.seen < log.events.length; listener.seen++) {
          const event = log.events[listener.seen];
          if (event?.stream.startsWith('account-')) listener.keeper.onAccountEvent(decodeEvent(event) as AccountEvent);
        }
      }
    },
    reserve: (amount, { least = amount, tokenId: token = tokenId, keeper: by = keeper, name = `${++count}` } = {}) =>
      Promise.resolve(
        by.reserve({
          requestId: RequestId.parse(`req_${name}`),
          userId,
          tokenId: token,
          model: 'm',
          priceListId,
          amount: money(amount),
          least: money(least),
        }),
      ),
    hold: async (amount, more) => {
      const answer = await self.reserve(amount, more);
      if (isRefusal(answer)) throw new Error(`refused: ${answer.refused}`);
      return answer;
    },
    command: async (command) => {
      const answer = await book.execute(userId, command, context());
      if (isRefusal(answer)) throw new Error(`refused: ${answer.refused}`);
    },
    events: (type) => log.events.filter((event) => event.type === type).map((event) => decodeEvent(event).data as never),
    types: (category) => log.events.filter(({ stream }) => stream.startsWith(`${category}-`)).map(({ type }) => type),
  };
  await self.command({ kind: 'openAccount', timeZone: 'UTC' });
  if (credit > 0) await self.command({ kind: 'grantCredit', amount: money(credit), source: 'grant', reason: 'start' });
  return self;
};

/** Lets promises that wait for nothing else run on. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
