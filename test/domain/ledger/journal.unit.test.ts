import { expect } from 'chai';
import fc from 'fast-check';
import { entriesOf, JOURNAL_TYPES, linesOf, type JournalEntry } from '../../../domain/ledger/journal.ts';
import type { DomainEvent } from '../../../schemas/events/catalogue.ts';
import type { LeaseId, RequestId, TokenId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { histories } from '../../support/histories.ts';

type JournalEvent = Parameters<typeof entriesOf>[0];

const movesMoney = (event: DomainEvent): event is JournalEvent => (JOURNAL_TYPES as readonly string[]).includes(event.type);

const money = (amount: number): Money => BigInt(amount) as Money;
const userId = 'usr_1' as UserId;
const leaseId = 'lse_1' as LeaseId;
const tokenId = 'key_1' as TokenId;
const requestId = 'req_1' as RequestId;

const short = (entries: readonly JournalEntry[]): readonly (readonly (string | bigint)[])[] =>
  entries.map(({ kind, debit, credit, amount, change }) => [kind, debit, credit, amount, change]);

describe('journal', () => {
  const cases: readonly (readonly [string, JournalEvent, ReturnType<typeof short>])[] = [
    [
      'a grant',
      { type: 'CreditGranted', data: { userId, amount: money(5), source: 'card', reason: 'top-up' } },
      [['grant', 'funding:card', 'wallet:usr_1', 5n, 5n]],
    ],
    [
      'credit that ran out',
      { type: 'CreditExpired', data: { userId, amount: money(5), source: 'grant' } },
      [['expiry', 'wallet:usr_1', 'expired:grant', 5n, -5n]],
    ],
    [
      'a correction upwards',
      { type: 'CreditAdjusted', data: { userId, amount: money(5), reason: 'r' } },
      [['adjustment', 'funding:adjustment', 'wallet:usr_1', 5n, 5n]],
    ],
    [
      'a correction downwards',
      { type: 'CreditAdjusted', data: { userId, amount: money(-5), reason: 'r' } },
      [['adjustment', 'wallet:usr_1', 'funding:adjustment', 5n, -5n]],
    ],
    [
      'a lease',
      {
        type: 'SpendLeaseGranted',
        data: {
          userId,
          leaseId,
          tokenId,
          holder: 'h',
          amount: money(5),
          day: '2026-01-01',
          admitsUntil: '2026-01-01T00:00:00.000Z',
          expiresAt: '2026-01-01T00:00:00.000Z',
        },
      },
      [['hold', 'wallet:usr_1', 'held:lse_1', 5n, 0n]],
    ],
    [
      'a lease settled',
      { type: 'SpendLeaseSettled', data: { userId, leaseId, tokenId, spent: money(3), returned: money(2) } },
      [['hold_returned', 'held:lse_1', 'wallet:usr_1', 2n, 0n]],
    ],
    [
      'a lease settled that was spent',
      { type: 'SpendLeaseSettled', data: { userId, leaseId, tokenId, spent: money(5), returned: money(0) } },
      [],
    ],
    [
      'an overdraft',
      { type: 'QuotaOverdrawn', data: { userId, leaseId, tokenId, requestId, model: 'gpt', amount: money(1) } },
      [['overdrawn', 'overdraft:usr_1', 'revenue:gpt', 1n, 0n]],
    ],
    [
      'a refund',
      { type: 'ChargeRefunded', data: { userId, leaseId, requestId, model: 'gpt', amount: money(1), reason: 'r' } },
      [['refund', 'revenue:gpt', 'wallet:usr_1', 1n, 1n]],
    ],
  ];
  for (const [what, event, entries] of cases) it(`books ${what}`, () => expect(short(entriesOf(event))).to.deep.equal(entries));

  it('books a charge from the lease to the model, and what the upstream charges beside it', () => {
    const data = {
      userId,
      leaseId,
      tokenId,
      requestId,
      model: 'gpt',
      channelId: 'chn_1',
      amount: money(7),
      computed: money(9),
      upstreamCost: money(4),
    };
    const event = { type: 'QuotaDebited', data } as unknown as JournalEvent;
    expect(short(entriesOf(event))).to.deep.equal([
      ['charge', 'held:lse_1', 'revenue:gpt', 7n, -7n],
      ['upstream_cost', 'cost:chn_1', 'payable:chn_1', 4n, 0n],
    ]);
    expect(entriesOf({ ...event, data: { ...data, amount: money(0), upstreamCost: money(0) } } as unknown as JournalEvent)).to.deep.equal(
      [],
    );
  });

  it('balances at every event of every history, and holds end at nothing', () => {
    fc.assert(
      fc.property(histories({ minSteps: 10, maxSteps: 120 }), (history) => {
        const balances = new Map<string, bigint>();
        const settled = new Set<string>();
        for (const event of history.flatMap(({ events }) => events).filter(movesMoney)) {
          for (const entry of entriesOf(event)) {
            const lines = linesOf(entry);
            expect(lines.reduce((difference, { debit, credit }) => difference + credit - debit, 0n)).to.equal(0n);
            for (const { account, debit, credit } of lines) balances.set(account, (balances.get(account) ?? 0n) + credit - debit);
          }
          if (event.type === 'SpendLeaseSettled') settled.add(`held:${event.data.leaseId}`);
          expect([...balances.values()].reduce((total, balance) => total + balance, 0n)).to.equal(0n);
          for (const [account, balance] of balances) {
            if (/^(wallet|held|payable|revenue):/.test(account)) expect(balance >= 0n, account).to.equal(true);
            if (settled.has(account)) expect(balance, account).to.equal(0n);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('changes a user’s balance by exactly what its entries do to wallet and holds', () => {
    fc.assert(
      fc.property(histories({ minSteps: 10, maxSteps: 80 }), (history) => {
        const owners = new Map<string, UserId>();
        const changes = new Map<string, bigint>();
        const balances = new Map<string, bigint>();
        for (const event of history.flatMap(({ events }) => events).filter(movesMoney)) {
          if (event.type === 'SpendLeaseGranted') owners.set(`held:${event.data.leaseId}`, event.data.userId);
          for (const entry of entriesOf(event)) {
            if (entry.userId !== null) changes.set(entry.userId, (changes.get(entry.userId) ?? 0n) + entry.change);
            for (const { account, debit, credit } of linesOf(entry)) {
              const owner = account.startsWith('wallet:') ? account.slice('wallet:'.length) : owners.get(account);
              if (owner !== undefined) balances.set(owner, (balances.get(owner) ?? 0n) + credit - debit);
            }
          }
        }
        for (const [owner, balance] of balances) expect(changes.get(owner) ?? 0n).to.equal(balance);
      }),
      { numRuns: 40 },
    );
  });
});
