import type { EventOf } from '../../schemas/events/catalogue.ts';
import { AttemptId, ChannelId, LeaseId, PriceListId, RequestId, TokenId, UserId } from '../../schemas/ids.ts';
import type { CallFacts } from '../../schemas/events/lease.ts';
import type { Money } from '../../schemas/money.ts';
import { RATIO_ONE } from '../../schemas/price.ts';

const ids = { leaseId: LeaseId.parse('lse_1'), userId: UserId.parse('usr_1'), tokenId: TokenId.parse('key_1') };
const request = (name: string): RequestId => RequestId.parse(`req_${name}`);

/** A call that went well. */
export const plainCall: CallFacts = {
  dialect: 'openai',
  endpoint: 'chat',
  streamed: false,
  status: 200,
  startedAt: '2026-01-01T00:00:00.000Z',
  firstByteMs: 5,
  durationMs: 10,
  attempts: [],
};

/** Events of one lease, with everything that the ledger does not look at filled in. */
export const leaseEvent = {
  opened: (amount: bigint): EventOf<'LeaseOpened'> => ({
    type: 'LeaseOpened',
    data: { ...ids, amount: amount as Money, day: '2026-01-01' },
  }),
  reserved: (name: string, amount: bigint): EventOf<'QuotaReserved'> => ({
    type: 'QuotaReserved',
    data: { ...ids, requestId: request(name), model: 'm', priceListId: PriceListId.parse('prl_1'), amount: amount as Money },
  }),
  debited: (name: string, amount: bigint, computed = amount): EventOf<'QuotaDebited'> => ({
    type: 'QuotaDebited',
    data: {
      ...ids,
      requestId: request(name),
      model: 'm',
      channelId: ChannelId.parse('chn_1'),
      attemptId: AttemptId.parse('att_1'),
      priceListId: PriceListId.parse('prl_1'),
      groupRatio: RATIO_ONE,
      usage: { input: 1 },
      basis: 'reported',
      amount: amount as Money,
      computed: computed as Money,
      upstreamCost: 0n as Money,
      call: plainCall,
    },
  }),
  released: (name: string): EventOf<'QuotaReleased'> => ({
    type: 'QuotaReleased',
    data: { ...ids, requestId: request(name), model: 'm', reason: 'upstream_failed', reconcile: false, call: plainCall },
  }),
  extended: (expiresAt: string): EventOf<'LeaseExtended'> => ({ type: 'LeaseExtended', data: { leaseId: ids.leaseId, expiresAt } }),
  closed: (spent: bigint): EventOf<'LeaseClosed'> => ({ type: 'LeaseClosed', data: { ...ids, spent: spent as Money, reason: 'idle' } }),
};
