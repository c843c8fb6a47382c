import { expect } from 'chai';
import fc from 'fast-check';
import { AccountBook, type AccountAnswer } from '../../commands/ledger/account-book.ts';
import type { CommandContext } from '../../commands/command-context.ts';
import type { AccountCommand } from '../../domain/ledger/account.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import { LeaseId, RequestId, TokenId, UserId, type CommandId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { memoryLog, type MemoryLog } from '../support/memory-log.ts';
import { eachOnItsOwn } from './simulation/scheduled-log.ts';
import { PROPERTY_TIMEOUT, checkAsync } from './seed.ts';

const userId = UserId.parse('usr_1');
const tokenId = TokenId.parse('key_1');
const context = (commandId: string): CommandContext => ({
  commandId: commandId as CommandId,
  correlationId: 'c',
  causationId: 'c',
  actor: { kind: 'system', id: 'test' },
  tenant: userId,
  occurredAt: '2026-01-01T00:00:00.000Z',
});

const amount = fc.bigInt(1n, 50n).map((value) => value as Money);
const scope = fc.constantFrom({ kind: 'user' } as const, { kind: 'key', tokenId } as const);
const command: fc.Arbitrary<AccountCommand> = fc.oneof(
  fc.record({
    kind: fc.constant('grantCredit' as const),
    amount,
    source: fc.constantFrom('card' as const, 'code' as const),
    reason: fc.constant('r'),
  }),
  fc.record({
    kind: fc.constant('adjustCredit' as const),
    amount: fc.bigInt(-50n, 50n).map((value) => value as Money),
    reason: fc.constant('r'),
  }),
  fc.record({ kind: fc.constant('expireCredit' as const), amount, source: fc.constant('card' as const) }),
  fc.record({
    kind: fc.constant('setCap' as const),
    scope,
    window: fc.constantFrom('day' as const, 'total' as const),
    amount: fc.option(amount, { nil: null }),
  }),
  amount.map((value): AccountCommand => ({
    kind: 'recordOverdraft',
    leaseId: LeaseId.parse('lse_1'),
    tokenId,
    requestId: RequestId.parse('req_1'),
    model: 'm',
    amount: value,
  })),
  amount.map((value): AccountCommand => ({
    kind: 'refundCharge',
    leaseId: LeaseId.parse('lse_1'),
    requestId: RequestId.parse('req_1'),
    model: 'm',
    charged: 60n as Money,
    amount: value,
    reason: 'r',
    counted: { tokenId, day: '2026-01-01' },
  })),
);

/** How one command is sent: by whom, and what happens to its answer. */
const sending = fc.record({
  command,
  id: fc.integer({ min: 1, max: 6 }),
  restarted: fc.boolean(),
  fault: fc.constantFrom('none', 'none', 'written', 'dropped'),
});

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner));

const open = async (): Promise<{ log: MemoryLog; newBook: () => AccountBook }> => {
  const log = memoryLog();
  const newBook = (): AccountBook => new AccountBook(log, eachOnItsOwn(log));
  await newBook().execute(userId, { kind: 'openAccount', timeZone: 'UTC' }, context('open'));
  return { log, newBook };
};

describe('a command that comes again', () => {
  it('6. under its id and with its payload: same answer, no new event; with another payload: conflict; through lost answers and restarts', function () {
    this.timeout(PROPERTY_TIMEOUT);
    return checkAsync(
      fc.asyncProperty(fc.array(sending, { maxLength: 40 }), async (sendings) => {
        const { log, newBook } = await open();
        let book = newBook();
        /** What each id stands for in the log: the payload that got its events in, and those events. */
        const done = new Map<string, { payload: string; events: string }>();
        for (const { command: asked, id, restarted, fault } of sendings) {
          if (restarted) book = newBook();
          if (fault !== 'none') log.loseNextAnswer(fault === 'written');
          const before = log.events.length;
          const commandId = `cmd-${id}`;
          const answer: AccountAnswer | Refusal = await book.execute(userId, asked, context(commandId));
          const written = log.events.slice(before);
          const known = done.get(commandId);
          if (known !== undefined) {
            expect(written, 'a known id wrote again').to.have.length(0);
            const isSame = known.payload === sorted(asked);
            // A fault may keep the answer from us, but never turn it into another one.
            if (isRefusal(answer))
              expect(answer.refused).to.be.oneOf(isSame ? ['log_unavailable'] : ['idempotency_conflict', 'log_unavailable']);
            else {
              expect(isSame, 'another payload under a known id was accepted').to.equal(true);
              expect(sorted(answer.events)).to.equal(known.events);
            }
          } else if (written.length > 0) {
            expect(written.every(({ metadata }) => metadata.commandId === commandId)).to.equal(true);
            const events = await newBook().execute(userId, asked, context(commandId));
            expect(isRefusal(events)).to.equal(false);
            done.set(commandId, { payload: sorted(asked), events: sorted((events as AccountAnswer).events) });
            expect(log.events).to.have.length(before + written.length);
          }
          // An unused fault must not strike a later command.
          await log.append([]);
        }
        expect(new Set(log.events.map(({ eventId }) => eventId)).size).to.equal(log.events.length);
      }),
      150,
    );
  });

  it('6. at once from many processes is done once, and all are told the same', function () {
    this.timeout(PROPERTY_TIMEOUT);
    return checkAsync(
      fc.asyncProperty(amount, fc.integer({ min: 2, max: 12 }), async (value, count) => {
        const { log, newBook } = await open();
        const books = Array.from({ length: count }, newBook);
        const answers = await Promise.all(
          books.map((book) => book.execute(userId, { kind: 'grantCredit', amount: value, source: 'card', reason: 'r' }, context('once'))),
        );
        expect(log.events.filter(({ type }) => type === 'CreditGranted')).to.have.length(1);
        for (const answer of answers)
          expect(isRefusal(answer) ? answer.refused : sorted(answer.events)).to.equal(sorted((answers[0] as AccountAnswer).events));
      }),
      50,
    );
  });

  it('6. is told apart from the same payload under another id', async () => {
    const { log, newBook } = await open();
    const grant: AccountCommand = { kind: 'grantCredit', amount: 5n as Money, source: 'card', reason: 'r' };
    await newBook().execute(userId, grant, context('a'));
    await newBook().execute(userId, grant, context('b'));
    expect(log.events.filter(({ type }) => type === 'CreditGranted')).to.have.length(2);
  });
});
