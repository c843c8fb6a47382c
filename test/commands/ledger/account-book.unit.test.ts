import { expect } from 'chai';
import { AccountBook, type AccountAnswer } from '../../../commands/ledger/account-book.ts';
import type { AccountCommand } from '../../../domain/ledger/account.ts';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import { LeaseId, UserId } from '../../../schemas/ids.ts';
import { context, money, openLedger, tokenId, userId, type LedgerRig } from './ledger-rig.ts';

const credit = (amount: number): AccountCommand => ({ kind: 'grantCredit', amount: money(amount), source: 'card', reason: 'x' });
const lease = (name: string, amount: number): AccountCommand => ({
  kind: 'grantSpendLease',
  leaseId: LeaseId.parse(`lse_${name}`),
  tokenId,
  holder: 'a',
  least: money(amount),
  needed: money(amount),
  ahead: money(0),
  now: Date.parse('2026-01-01T12:00:00.000Z'),
  admitsForMs: 30_000,
  graceMs: 15_000,
});
const refusal = (answer: AccountAnswer | Refusal): string => (isRefusal(answer) ? answer.refused : 'none');

/** Counts reads of the log, which a decision from memory does not need. */
const countReads = (rig: LedgerRig): { reads: number } => {
  const counter = { reads: 0 };
  const { readStream } = rig.log;
  Object.assign(rig.log, { readStream: (...args: Parameters<typeof readStream>) => (counter.reads++, readStream(...args)) });
  return counter;
};

describe('the account book', () => {
  it('decides from memory without reading once it knows an account', async () => {
    const rig = await openLedger();
    const book = new AccountBook(rig.log, rig.appender);
    await book.execute(userId, lease('1', 10), context());
    const counter = countReads(rig);
    for (let index = 0; index < 10; index++) await book.execute(userId, lease(`n${index}`, 10), context());
    expect(counter.reads).to.equal(0);
  });

  it('decides anew when another process moved the account meanwhile', async () => {
    const rig = await openLedger({ credit: 100 });
    const [a, b] = [new AccountBook(rig.log, rig.appender), new AccountBook(rig.log, rig.appender)];
    await Promise.all([a.read(userId), b.read(userId)]);
    expect(refusal(await a.execute(userId, lease('1', 60), context()))).to.equal('none');
    expect(refusal(await b.execute(userId, lease('2', 60), context()))).to.equal('insufficient_quota');
    expect(refusal(await b.execute(userId, lease('3', 40), context()))).to.equal('none');
  });

  it('asks the log before it believes a refusal out of memory', async () => {
    const rig = await openLedger({ credit: 10 });
    const [a, b] = [new AccountBook(rig.log, rig.appender), new AccountBook(rig.log, rig.appender)];
    expect(refusal(await a.execute(userId, lease('1', 20), context()))).to.equal('insufficient_quota');
    await b.execute(userId, credit(10), context());
    expect(refusal(await a.execute(userId, lease('1', 20), context()))).to.equal('none');
  });

  it('lets many at once on one account all through, in some order', async () => {
    const rig = await openLedger({ credit: 100 });
    const books = Array.from({ length: 8 }, () => new AccountBook(rig.log, rig.appender));
    const answers = await Promise.all(
      Array.from({ length: 80 }, (_, index) => books[index % 8]!.execute(userId, lease(`p${index}`, 2), context())),
    );
    expect(answers.filter((answer) => !isRefusal(answer))).to.have.length(50);
    expect(answers.filter((answer) => refusal(answer) === 'insufficient_quota')).to.have.length(30);
  });

  it('gives up on an account that is never at rest, rather than try for ever', async () => {
    const rig = await openLedger();
    const book = new AccountBook(rig.log, { append: () => Promise.resolve({ outcome: 'conflict', actual: 1 }) });
    expect(refusal(await book.execute(userId, credit(1), context()))).to.equal('conflict');
  });

  it('answers with what it changed and where that is', async () => {
    const rig = await openLedger({ credit: 0 });
    const answer = await rig.book.execute(userId, credit(5), context('c1'));
    if (isRefusal(answer)) throw new Error(answer.message);
    expect(answer.events.map(({ type }) => type)).to.deep.equal(['CreditGranted']);
    expect(answer.position).to.equal(rig.log.events.at(-1)!.position);
    expect(answer.account.wallet).to.equal(5n);
    expect(
      await rig.book.execute(userId, { kind: 'settleLease', leaseId: LeaseId.parse('lse_none'), spent: money(0) }, context()),
    ).to.include({ position: null });
  });

  it('answers log_unavailable when it can neither read nor append, and is well again afterwards', async () => {
    const rig = await openLedger();
    const book = new AccountBook(rig.log, rig.appender);
    rig.log.cut();
    expect(refusal(await book.execute(userId, credit(1), context()))).to.equal('log_unavailable');
    expect(isRefusal(await book.read(userId))).to.equal(true);
    expect(refusal(await rig.book.execute(userId, credit(1), context()))).to.equal('log_unavailable');
    rig.log.mend();
    expect(refusal(await book.execute(userId, credit(1), context()))).to.equal('none');
    const answer = await book.read(userId);
    expect(isRefusal(answer) || answer.account.wallet).to.equal(1_001n);
  });

  it('forgets the accounts used longest ago, and reads them again', async () => {
    const rig = await openLedger({ credit: 0 });
    const book = new AccountBook(rig.log, rig.appender, 2);
    const users = ['a', 'b', 'c'].map((name) => UserId.parse(`usr_${name}`));
    for (const user of users) await book.execute(user, { kind: 'openAccount', timeZone: 'UTC' }, context());
    const counter = countReads(rig);
    await book.execute(users[2]!, credit(1), context());
    await book.execute(users[1]!, credit(1), context());
    expect(counter.reads).to.equal(0);
    await book.execute(users[0]!, credit(1), context());
    expect(counter.reads).to.equal(1);
    expect(await book.read(users[0]!)).to.have.nested.property('account.wallet', 1n);
  });

  it('tells another payload under a known id also when that would change nothing', async () => {
    const rig = await openLedger();
    const cap = (amount: number): AccountCommand => ({ kind: 'setCap', scope: { kind: 'user' }, window: 'day', amount: money(amount) });
    await rig.book.execute(userId, cap(5), context('x'));
    await rig.book.execute(userId, cap(6), context('y'));
    expect(refusal(await rig.book.execute(userId, cap(6), context('x')))).to.equal('idempotency_conflict');
    const again = await rig.book.execute(userId, cap(5), context('x'));
    expect(isRefusal(again) || again.events.map(({ data }) => (data as { amount: bigint }).amount)).to.deep.equal([5n]);
  });
});
