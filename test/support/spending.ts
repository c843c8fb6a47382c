import { newEvents } from '../../commands/run-command.ts';
import type { CommandLog } from '../../commands/command-log.ts';
import type { AccountBook } from '../../commands/ledger/account-book.ts';
import type { CommandContext } from '../../commands/command-context.ts';
import type { Clock } from '../../commands/ports/clock.ts';
import { leaseStream } from '../../domain/ledger/lease.ts';
import { costOf } from '../../domain/pricing/cost.ts';
import type { LeaseEvent } from '../../schemas/events/catalogue.ts';
import type { RequestId } from '../../schemas/ids.ts';
import { AttemptId, ChannelId, LeaseId, type PriceListId, type TokenId, type UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { RATIO_ONE, type ModelPrice } from '../../schemas/price.ts';
import type { Usage } from '../../schemas/usage.ts';
import { done } from './refused.ts';

export interface Spender {
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly priceListId: PriceListId;
  readonly price: ModelPrice;
}

export interface SpendingBench extends CommandLog {
  readonly book: Pick<AccountBook, 'execute'>;
  readonly clock: Clock;
  context(id?: string): CommandContext;
}

export interface SpentCall {
  readonly requestId: RequestId;
  /** Charged; released where absent. */
  readonly usage?: Usage;
}

export const TEST_CHANNEL = ChannelId.parse('chn_test');

/** What a gateway records for these calls on one lease: granted, opened, reserved, ended, closed, settled. */
export const spendOnLease = async (bench: SpendingBench, name: string, spender: Spender, calls: readonly SpentCall[]): Promise<LeaseId> => {
  const { userId, tokenId, priceListId, price } = spender;
  const leaseId = LeaseId.parse(`lse_${name}`);
  const hold = 100_000_000n as Money;
  const granted = done(
    await bench.book.execute(
      userId,
      {
        kind: 'grantSpendLease',
        leaseId,
        tokenId,
        holder: 'test',
        least: hold,
        needed: (hold * BigInt(calls.length)) as Money,
        ahead: 0n as Money,
        now: bench.clock.now(),
        admitsForMs: 30_000,
        graceMs: 15_000,
      },
      bench.context(),
    ),
  );
  const grant = granted.events.find((event) => event.type === 'SpendLeaseGranted');
  if (grant === undefined) throw new Error('no lease was granted');
  const { amount, day } = grant.data;
  const model = price.model;
  let spent = 0n;
  const startedAt = new Date(bench.clock.now()).toISOString();
  const ends = calls.map(({ requestId, usage }): LeaseEvent => {
    const attemptId = AttemptId.parse(requestId.replace('req_', 'att_'));
    const call = {
      dialect: 'openai',
      endpoint: 'chat',
      streamed: false,
      status: usage === undefined ? 502 : 200,
      startedAt,
      firstByteMs: 40,
      durationMs: 90,
      ...(usage === undefined ? { errorCode: 'upstream_failed' } : {}),
      attempts: [
        {
          attemptId,
          channelId: TEST_CHANNEL,
          channelKeyId: null,
          outcome: usage === undefined ? 'failed' : 'answered',
          status: usage === undefined ? 500 : 200,
          durationMs: 80,
        },
      ],
    } as const;
    const common = { leaseId, userId, tokenId, requestId, model, call: { ...call, attempts: [...call.attempts] } };
    if (usage === undefined) return { type: 'QuotaReleased', data: { ...common, reason: 'upstream_failed', reconcile: false } };
    const computed = costOf(usage, price, RATIO_ONE);
    const charged = computed < hold ? computed : hold;
    spent += charged;
    return {
      type: 'QuotaDebited',
      data: {
        ...common,
        channelId: TEST_CHANNEL,
        attemptId,
        priceListId,
        groupRatio: RATIO_ONE,
        usage,
        basis: 'reported',
        amount: charged,
        computed,
        upstreamCost: (computed / 2n) as Money,
      },
    };
  });
  const events: LeaseEvent[] = [
    { type: 'LeaseOpened', data: { leaseId, userId, tokenId, amount, day } },
    ...calls.map(({ requestId }): LeaseEvent => ({
      type: 'QuotaReserved',
      data: { leaseId, userId, tokenId, requestId, model, priceListId, amount: hold },
    })),
    ...ends,
    { type: 'LeaseClosed', data: { leaseId, userId, tokenId, spent: spent as Money, reason: 'ended' } },
  ];
  const outcome = await bench.appender.append({
    stream: leaseStream(leaseId),
    expectedRevision: 'no_stream',
    events: newEvents(events, bench.context()),
  });
  if (outcome.outcome !== 'appended') throw new Error(`the lease was not recorded: ${outcome.outcome}`);
  done(await bench.book.execute(userId, { kind: 'settleLease', leaseId, spent: spent as Money }, bench.context()));
  for (const event of ends) {
    if (event.type !== 'QuotaDebited' || event.data.computed <= event.data.amount) continue;
    const { requestId, computed, amount: paid } = event.data;
    done(
      await bench.book.execute(
        userId,
        { kind: 'recordOverdraft', leaseId, tokenId, requestId, model, amount: (computed - paid) as Money },
        bench.context(),
      ),
    );
  }
  return leaseId;
};
