import { expect } from 'chai';
import fc from 'fast-check';
import { runChannelCommand } from '../../../commands/channels/run-channel-command.ts';
import { addChannel } from '../../../commands/channels/add-channel.ts';
import { notificationsWorker } from '../../../commands/notifications/notifications-worker.ts';
import type { AnyWorker, WorkContext, WorkEvent } from '../../../commands/workers/worker.ts';
import { dollars } from '../../../domain/ledger/money.ts';
import { decodeEvent } from '../../../domain/kernel/event-codec.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import type { RecordedEvent } from '../../../schemas/event-envelope.ts';
import { CommandId, LeaseId, TokenId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { RATIO_ONE } from '../../../schemas/price.ts';
import { checkAsync, PROPERTY_TIMEOUT } from '../../ledger/seed.ts';
import { commandBench, type CommandBench } from '../../support/command-bench.ts';
import { done } from '../../support/refused.ts';

const ann = UserId.parse('usr_ann');
const tokenId = TokenId.parse('key_ann');

const eventOf = (recorded: RecordedEvent): WorkEvent =>
  ({ ...decodeEvent(recorded), ...recorded, data: decodeEvent(recorded).data, actor: recorded.metadata.actor }) as unknown as WorkEvent;

const contextOf = ({ eventId, recordedAt }: RecordedEvent): WorkContext => ({
  attempt: 1,
  isLast: false,
  progress: () => undefined,
  signal: new AbortController().signal,
  command: (tenant) => ({
    commandId: CommandId.parse(`notifications:${eventId}`),
    correlationId: eventId,
    causationId: eventId,
    actor: { kind: 'system', id: 'notifications' },
    tenant,
    occurredAt: recordedAt,
  }),
});

const work = async (worker: AnyWorker, events: readonly RecordedEvent[]): Promise<void> => {
  for (const recorded of events)
    if ((worker.types as readonly string[]).includes(recorded.type))
      expect(await worker.handle(eventOf(recorded), contextOf(recorded)), recorded.type).to.equal(null);
};

/** Balances that were told of, in order. */
const told = (bench: CommandBench): readonly bigint[] =>
  bench
    .eventsOf('notification')
    .flatMap((event) =>
      event.type === 'NotificationRaised' && event.data.tidings.kind === 'low_balance' ? [event.data.tidings.balance] : [],
    );

interface Step {
  readonly kind: 'credit' | 'take' | 'lease' | 'settle';
  readonly amount: number;
}

/** Moves an account as the step says, as far as the account allows. */
const move = async (
  { book, context, clock }: CommandBench,
  { kind, amount }: Step,
  leases: { id: LeaseId; amount: bigint }[],
): Promise<void> => {
  if (kind === 'credit')
    await book.execute(ann, { kind: 'grantCredit', amount: BigInt(amount + 1) as Money, source: 'admin', reason: '' }, context());
  if (kind === 'take') await book.execute(ann, { kind: 'adjustCredit', amount: -BigInt(amount + 1) as Money, reason: 'back' }, context());
  if (kind === 'lease') {
    const leaseId = LeaseId.parse(`lse_${leases.length}x${amount}`);
    const needed = BigInt(amount + 1) as Money;
    const answer = await book.execute(
      ann,
      {
        kind: 'grantSpendLease',
        leaseId,
        tokenId,
        holder: 'h',
        least: 1n as Money,
        needed,
        ahead: 0n as Money,
        now: clock.now(),
        admitsForMs: 1_000,
        graceMs: 1_000,
      },
      context(),
    );
    if (isRefusal(answer)) return;
    for (const { type, data } of answer.events) if (type === 'SpendLeaseGranted') leases.push({ id: leaseId, amount: data.amount });
  }
  if (kind === 'settle') {
    const lease = leases.pop();
    if (lease !== undefined)
      await book.execute(
        ann,
        { kind: 'settleLease', leaseId: lease.id, spent: (BigInt(amount) % (lease.amount + 1n)) as Money },
        context(),
      );
  }
};

const THRESHOLD = 500n;

/** What should have been told: the balance after each fall below the threshold, added up by hand from the events. */
const crossings = (events: readonly RecordedEvent[]): readonly bigint[] => {
  const found: bigint[] = [];
  let balance = 0n;
  for (const recorded of events) {
    const event = decodeEvent(recorded);
    const before = balance;
    if (event.type === 'CreditGranted' || event.type === 'CreditAdjusted') balance += event.data.amount;
    if (event.type === 'SpendLeaseSettled') balance -= event.data.spent;
    if (before >= THRESHOLD && balance < THRESHOLD) found.push(balance);
  }
  return found;
};

describe('the worker that raises notifications', () => {
  it('tells of a balance that falls below the threshold, once until it was above again', async function () {
    this.timeout(PROPERTY_TIMEOUT);
    const step = fc.record<Step>({ kind: fc.constantFrom('credit', 'take', 'lease', 'settle', 'settle'), amount: fc.nat(900) });
    await checkAsync(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 40 }), fc.nat(40), fc.nat(10), async (steps, restartAt, back) => {
        const bench = commandBench();
        await bench.book.execute(ann, { kind: 'openAccount', timeZone: 'UTC' }, bench.context());
        const leases: { id: LeaseId; amount: bigint }[] = [];
        for (const one of steps) await move(bench, one, leases);
        const events = [...bench.log.events];
        // A worker dies somewhere; the next one begins a little before, with nothing in its memory.
        await work(notificationsWorker({ ...bench, lowBalance: THRESHOLD as Money }), events.slice(0, restartAt));
        await work(notificationsWorker({ ...bench, lowBalance: THRESHOLD as Money }), events.slice(Math.max(0, restartAt - back)));
        expect(told(bench)).to.deep.equal(crossings(events));
      }),
      60,
    );
  });

  it('says nothing where the threshold is nothing', async () => {
    const bench = commandBench();
    await bench.book.execute(ann, { kind: 'openAccount', timeZone: 'UTC' }, bench.context());
    await bench.book.execute(ann, { kind: 'grantCredit', amount: dollars(1), source: 'admin', reason: '' }, bench.context());
    await bench.book.execute(ann, { kind: 'adjustCredit', amount: -dollars(1) as Money, reason: 'all' }, bench.context());
    await work(notificationsWorker({ ...bench, lowBalance: 0n as Money }), bench.log.events);
    expect(told(bench)).to.deep.equal([]);
  });

  it('says again what it said when the threshold is another by then', async () => {
    const bench = commandBench();
    await bench.book.execute(ann, { kind: 'openAccount', timeZone: 'UTC' }, bench.context());
    await bench.book.execute(ann, { kind: 'grantCredit', amount: dollars(5), source: 'admin', reason: '' }, bench.context());
    await bench.book.execute(ann, { kind: 'adjustCredit', amount: -dollars(4) as Money, reason: 'most' }, bench.context());
    const events = [...bench.log.events];
    await work(notificationsWorker({ ...bench, lowBalance: dollars(2) }), events);
    await work(notificationsWorker({ ...bench, lowBalance: dollars(3) }), events);
    expect(told(bench)).to.deep.equal([dollars(1)]);
  });

  it('tells administrators of a channel that goes off, by whomever', async () => {
    const bench = commandBench();
    const { channelId } = done(
      await addChannel(
        bench,
        {
          settings: {
            name: 'OpenAI',
            provider: 'openai',
            baseUrl: 'https://api.openai.com/v1',
            models: [{ model: 'a', upstreamModel: 'a' }],
            priority: 0,
            weight: 1,
            groups: null,
            costRatio: RATIO_ONE,
          },
          secrets: [],
        },
        bench.context(),
      ),
    );
    done(await runChannelCommand(bench, channelId, { kind: 'disable', by: 'platform', reason: 'no key left' }, bench.context()));
    const events = [...bench.log.events];
    const worker = notificationsWorker({ ...bench, lowBalance: dollars(1) });
    await work(worker, events);
    await work(worker, events);
    expect(bench.eventsOf('notification').map(({ data }) => data)).to.have.length(1);
    expect(bench.eventsOf('notification')[0]?.data).to.deep.include({
      audience: { kind: 'administrators' },
      tidings: { kind: 'channel_disabled', channelId, name: 'OpenAI', by: 'platform', reason: 'no key left' },
    });
  });

  it('tells administrators once where little is left at a provider', async () => {
    const bench = commandBench();
    const settings = {
      ...{ name: 'DeepSeek', provider: 'deepseek', baseUrl: 'https://api.deepseek.com/v1', priority: 0, weight: 1, groups: null },
      ...{ models: [{ model: 'a', upstreamModel: 'a' }], costRatio: RATIO_ONE, balance: { everyMinutes: 60, warnBelow: '5' } },
    };
    const { channelId } = done(await addChannel(bench, { settings, secrets: [] }, bench.context()));
    for (const amount of ['20', '4', '3'])
      done(await runChannelCommand(bench, channelId, { kind: 'reportBalance', balance: { currency: 'USD', amount } }, bench.context()));
    const worker = notificationsWorker({ ...bench, lowBalance: dollars(1) });
    await work(worker, [...bench.log.events]);
    await work(worker, [...bench.log.events]);
    expect(bench.eventsOf('notification').map(({ data }) => data)).to.have.length(1);
    expect(bench.eventsOf('notification')[0]?.data).to.deep.include({
      audience: { kind: 'administrators' },
      tidings: { kind: 'channel_balance_low', channelId, name: 'DeepSeek', currency: 'USD', amount: '4', threshold: '5' },
    });
  });
});
