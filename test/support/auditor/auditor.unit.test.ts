import { expect } from 'chai';
import { newEvents } from '../../../commands/run-command.ts';
import type { DomainEvent } from '../../../schemas/events/catalogue.ts';
import { TokenId, type StreamName } from '../../../schemas/ids.ts';
import { context, money, tokenId, userId } from '../../commands/ledger/ledger-rig.ts';
import { leaseEvent } from '../../ledger/lease-event-samples.ts';
import type { RecordedCall } from '../fake-upstream/record.ts';
import type { ClientCall } from '../load/client-call.ts';
import { memoryLog } from '../memory-log.ts';
import { auditAnswers } from './answer-audit.ts';
import { auditRun, reportOf } from './audit-run.ts';
import { LedgerAudit } from './ledger-audit.ts';

const account = `account-${userId}` as StreamName;
const lease = 'lease-lse_1' as StreamName;
const leaseId = leaseEvent.opened(0n).data.leaseId;
const prices = { input: 2n, cached: 1n, output: 5n };

const opened: DomainEvent = { type: 'AccountOpened', data: { userId, timeZone: 'UTC' } };
const credited: DomainEvent = { type: 'CreditGranted', data: { userId, amount: money(1_000), source: 'grant', reason: '' } };
const granted = (changes: object = {}): DomainEvent => ({
  type: 'SpendLeaseGranted',
  data: {
    userId,
    leaseId,
    tokenId,
    holder: 'a',
    amount: money(100),
    day: '2026-01-01',
    admitsUntil: '2026-01-01T00:00:30.000Z',
    expiresAt: '2026-01-01T00:00:45.000Z',
    ...changes,
  },
});
const settled = (spent: number, returned: number): DomainEvent => ({
  type: 'SpendLeaseSettled',
  data: { userId, leaseId, tokenId, spent: money(spent), returned: money(returned) },
});
const overdrawn = (amount: number): DomainEvent => ({
  type: 'QuotaOverdrawn',
  data: { userId, leaseId, tokenId, requestId: leaseEvent.released('a').data.requestId, model: 'm', amount: money(amount) },
});
const refunded = (amount: number, counted: { readonly tokenId?: TokenId; readonly day?: string } = {}): DomainEvent => ({
  type: 'ChargeRefunded',
  data: { userId, leaseId, ...counted, requestId: leaseEvent.released('a').data.requestId, model: 'm', amount: money(amount), reason: 'x' },
});

const good: readonly DomainEvent[] = [
  opened,
  credited,
  granted(),
  leaseEvent.opened(100n),
  leaseEvent.reserved('a', 30n),
  leaseEvent.debited('a', 12n),
  leaseEvent.closed(12n),
  settled(12, 88),
];

const audited = async (events: readonly DomainEvent[]): Promise<LedgerAudit> => {
  const log = memoryLog();
  for (const event of events) {
    const isOfLease = event.type.startsWith('Lease') && event.type !== 'LeaseReturnRequested';
    const stream = isOfLease || ['QuotaReserved', 'QuotaDebited', 'QuotaReleased'].includes(event.type) ? lease : account;
    const [outcome] = await log.append([{ stream, expectedRevision: 'any', events: newEvents([event], context()) }]);
    if (outcome?.outcome !== 'appended') throw new Error('not appended');
  }
  const audit = new LedgerAudit();
  for (const event of log.events) audit.observe(event);
  audit.atRest();
  return audit;
};
const rulesBroken = async (events: readonly DomainEvent[]): Promise<number[]> => [
  ...new Set((await audited(events)).violations.map(({ rule }) => rule)),
];
const replaced = (index: number, ...events: readonly DomainEvent[]): DomainEvent[] => [
  ...good.slice(0, index),
  ...events,
  ...good.slice(index + 1),
];

describe('the auditor of the ledger', () => {
  it('finds nothing in a good history, and adds it up', async () => {
    const audit = await audited(good);
    expect(audit.violations).to.deep.equal([]);
    expect(audit.totals()).to.include({ charges: 1, charged: 12n, holds: 1, leases: 1, released: 0 });
    expect(audit.balanceOf(`wallet:${userId}`)).to.equal(988n);
    expect(audit.balanceOf('revenue:m')).to.equal(12n);
  });

  const histories: readonly (readonly [what: string, rule: number, history: readonly DomainEvent[]])[] = [
    ['a lease larger than the wallet', 2, replaced(2, granted({ amount: money(1_001) }))],
    ['a lease opened with more than it was granted', 2, replaced(3, leaseEvent.opened(101n))],
    [
      'holds that come to more than the lease',
      2,
      replaced(4, leaseEvent.reserved('b', 71n), leaseEvent.reserved('a', 30n), leaseEvent.released('b')),
    ],
    ['a charge above its hold', 2, replaced(5, leaseEvent.debited('a', 31n))],
    ['a charge below what the rule came to, hold left', 14, replaced(5, leaseEvent.debited('a', 12n, 13n))],
    ['a charge without a hold', 3, replaced(4)],
    ['a release without a hold', 3, replaced(5, leaseEvent.debited('a', 12n), leaseEvent.released('b'))],
    ['a hold that ends twice', 7, replaced(5, leaseEvent.debited('a', 12n), leaseEvent.released('a'))],
    ['a hold that never ends', 3, replaced(5).slice(0, 5)],
    ['a lease closed over an open hold', 3, replaced(5)],
    ['a hold after the close', 3, [...good.slice(0, 7), leaseEvent.reserved('b', 1n), leaseEvent.released('b'), ...good.slice(7)]],
    ['a lease that is never settled', 3, good.slice(0, 7)],
    ['a lease settled before it is closed', 3, [...good.slice(0, 6), settled(12, 88)]],
    ['a lease settled twice', 7, [...good, settled(12, 88)]],
    ['a lease settled at another sum than its debits', 10, replaced(7, settled(11, 89))],
    ['a lease closed at another sum than its debits', 10, replaced(6, leaseEvent.closed(11n))],
    ['a settlement that returns too little', 1, replaced(7, settled(12, 87))],
    [
      'a lease that reaches into the next day',
      18,
      replaced(2, granted({ admitsUntil: '2026-01-02T00:00:01.000Z', expiresAt: '2026-01-02T00:00:02.000Z' })),
    ],
    ['a hold after the end of admission', 18, replaced(2, granted({ admitsUntil: '2025-12-31T23:59:59.000Z', day: '2025-12-31' }))],
    [
      'a cap that is passed',
      4,
      replaced(1, credited, { type: 'CapSet', data: { userId, scope: { kind: 'user' }, window: 'day', amount: money(99) } }),
    ],
    [
      'a key’s cap that is passed',
      4,
      replaced(1, credited, { type: 'CapSet', data: { userId, scope: { kind: 'key', tokenId }, window: 'total', amount: money(99) } }),
    ],
    [
      'an overdraft that is dropped',
      14,
      replaced(5, leaseEvent.debited('a', 30n, 31n), leaseEvent.closed(30n), settled(30, 70)).slice(0, 8),
    ],
    ['an overdraft of another sum', 14, [...good, overdrawn(5)]],
    ['a refund above the charge', 17, [...good, refunded(7), refunded(6)]],
    ['a refund of what did not count on that day', 17, [...good, refunded(7, { tokenId, day: '2026-01-02' })]],
    ['a refund to another key’s quota', 17, [...good, refunded(7, { tokenId: TokenId.parse('key_other'), day: '2026-01-01' })]],
    ['a debt', 2, replaced(1, credited, { type: 'CreditAdjusted', data: { userId, amount: money(-1_001), reason: 'x' } })],
  ];
  for (const [what, rule, history] of histories) it(`finds ${what}`, async () => expect(await rulesBroken(history)).to.include(rule));
});

describe('the auditor of answers', () => {
  const client = (changes: Partial<ClientCall> = {}): ClientCall => ({
    marker: 'call-1',
    model: 'm',
    streamed: false,
    maxTokens: 10,
    usage: { prompt: 4, cached: 1, output: 1 },
    ordinary: true,
    script: {},
    leavesAfter: null,
    seen: 'complete',
    status: 200,
    requestId: 'req_a',
    cost: '0.000000012',
    error: null,
    tookMs: 1,
    endedAt: 1,
    ...changes,
  });
  const reached = (marker = 'call-1'): RecordedCall =>
    ({ body: Buffer.from(JSON.stringify({ user: marker })), outcome: 'complete' }) as RecordedCall;
  const charges = async (...events: DomainEvent[]): Promise<LedgerAudit> => audited(events.length === 0 ? good : events);
  const withUsage = (name: string, amount: bigint): DomainEvent => {
    const event = leaseEvent.debited(name, amount);
    return { ...event, data: { ...event.data, usage: { input: 3, cachedInput: 1, output: 1 } } };
  };

  it('finds nothing where all three records agree', async () => {
    expect(auditAnswers([client()], [reached()], await charges(), prices)).to.deep.include({ violations: [], unseen: 0, uncharged: 0 });
  });

  for (const [what, clients, upstream] of [
    ['an answer that is not charged', [client({ requestId: 'req_other' })], [reached()]],
    ['a charge without a call of the upstream', [client()], []],
    ['a charge that nobody stands behind', [], [reached()]],
    ['a cost that the client was told otherwise', [client({ cost: '0.000000013' })], [reached()]],
    ['a charge at another price than the usage comes to', [client({ usage: { prompt: 5, cached: 1, output: 1 } })], [reached()]],
    ['a refused call that is charged', [client({ seen: 'refused', status: 503, error: 'lease_lost' })], [reached()]],
    [
      'a call refused for want of money that reached the upstream',
      [client({ seen: 'refused', status: 429, requestId: 'req_x', error: 'insufficient_quota' }), client({ marker: 'call-2' })],
      [reached(), reached('call-2')],
    ],
    [
      'one request id for two calls',
      [client(), client({ marker: 'call-2', usage: { prompt: 9, cached: 0, output: 1 } })],
      [reached(), reached('call-2')],
    ],
  ] as const) {
    it(`finds ${what}`, async () => expect(auditAnswers(clients, upstream, await charges(), prices).violations).to.not.deep.equal([]));
  }

  it('joins a charge whose client got no headers by its usage, and finds the second one', async () => {
    const broken = client({ seen: 'broken', status: null, requestId: null, cost: null });
    const once = await charges(...replaced(5, withUsage('a', 12n)));
    expect(auditAnswers([broken], [reached()], once, prices)).to.deep.include({
      violations: [],
      unseen: 1,
      joined: { byRequest: 0, byUsage: 1, byElimination: 0 },
    });
    const twice = await charges(...replaced(5, withUsage('a', 12n), leaseEvent.reserved('b', 12n), withUsage('b', 12n)));
    expect(auditAnswers([broken], [reached()], twice, prices).violations.join()).to.include('charged twice');
  });

  it('reports for people', async () => {
    const log = memoryLog();
    const findings = await auditRun({ log, clients: [client()], upstream: [reached()], prices });
    expect(reportOf('a run', findings, [['kills', '3']])).to.match(/kills +3[^]*1 complete[^]*verdict +1 violations[^]*not charged/);
  });
});
