import type { LeaseEvent } from '../../schemas/events/catalogue.ts';
import type { LeaseId, RequestId, StreamName } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Instant } from '../../schemas/time.ts';
import { streamName } from '../kernel/stream-name.ts';
import { add, subtract, ZERO } from './money.ts';

export const leaseStream = (leaseId: LeaseId): StreamName => streamName('lease', leaseId);

/** A hold that has not ended. */
export interface OpenHold {
  readonly amount: Money;
  readonly model: string;
}

/** A charge whose upstream billed more than was held. */
export interface Overdraft {
  readonly requestId: RequestId;
  readonly model: string;
  readonly amount: Money;
}

/** What one holder has done with a lease. The account decided the amount; nothing here can raise it. */
export interface Lease {
  readonly closed: boolean;
  readonly amount: Money;
  readonly spent: Money;
  readonly held: Money;
  readonly holds: ReadonlyMap<RequestId, OpenHold>;
  readonly overdrafts: readonly Overdraft[];
  /** Set when the holder asked for more time than the grant gave. */
  readonly extendedUntil: Instant | null;
}

const initial: Lease = { closed: false, amount: ZERO, spent: ZERO, held: ZERO, holds: new Map(), overdrafts: [], extendedUntil: null };

const withoutHold = (holds: ReadonlyMap<RequestId, OpenHold>, requestId: RequestId): ReadonlyMap<RequestId, OpenHold> => {
  const rest = new Map(holds);
  rest.delete(requestId);
  return rest;
};

const evolve = (state: Lease, { type, data }: LeaseEvent): Lease => {
  switch (type) {
    case 'LeaseOpened':
      return { ...state, amount: data.amount };
    case 'QuotaReserved':
      return {
        ...state,
        held: add(state.held, data.amount),
        holds: new Map(state.holds).set(data.requestId, { amount: data.amount, model: data.model }),
      };
    case 'QuotaDebited': {
      const hold = state.holds.get(data.requestId)?.amount ?? ZERO;
      const overdrafts =
        data.computed > data.amount
          ? [...state.overdrafts, { requestId: data.requestId, model: data.model, amount: subtract(data.computed, data.amount) }]
          : state.overdrafts;
      return {
        ...state,
        spent: add(state.spent, data.amount),
        held: subtract(state.held, hold),
        holds: withoutHold(state.holds, data.requestId),
        overdrafts,
      };
    }
    case 'QuotaReleased': {
      const hold = state.holds.get(data.requestId)?.amount ?? ZERO;
      return { ...state, held: subtract(state.held, hold), holds: withoutHold(state.holds, data.requestId) };
    }
    case 'LeaseExtended':
      return { ...state, extendedUntil: data.expiresAt };
    case 'LeaseClosed':
      return { ...state, closed: true };
  }
};

/** What is neither spent nor held. */
export const freeOf = (lease: Pick<Lease, 'amount' | 'spent' | 'held'>): Money => (lease.amount - lease.spent - lease.held) as Money;

/** The lease stream has one writer and its decisions are the holder's arithmetic in memory; this is the fold that everyone else sees. */
export const lease = { initial, evolve } as const;
