import { LARGEST_AMOUNT, type Money } from '../../schemas/money.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { CallFacts, ChargeBasis, ReleaseReason } from '../../schemas/events/lease.ts';
import type { AttemptId, ChannelId, LeaseId, PriceListId, RequestId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Ratio } from '../../schemas/price.ts';
import type { Usage } from '../../schemas/usage.ts';

/** One reservation. `durable` resolves once it is in the log, with `null`, or with why it never will be. */
export interface Hold {
  readonly requestId: RequestId;
  readonly leaseId: LeaseId;
  readonly amount: Money;
  readonly durable: Promise<Refusal | null>;
}

export interface ReserveRequest {
  readonly requestId: RequestId;
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly model: string;
  readonly priceListId: PriceListId;
  /** The worst case of the call. */
  readonly amount: Money;
  /** The least hold that makes the call worth making. */
  readonly least: Money;
}

export interface ChargeRequest {
  readonly channelId: ChannelId;
  readonly attemptId: AttemptId;
  readonly priceListId: PriceListId;
  readonly groupRatio: Ratio;
  readonly usage: Usage;
  readonly basis: ChargeBasis;
  readonly computed: Money;
  readonly upstreamCost: Money;
  readonly call: CallFacts;
}

export interface ReleaseRequest {
  readonly reason: ReleaseReason;
  readonly reconcile: boolean;
  readonly call: CallFacts;
}

const isAmount = (value: bigint): boolean => value >= 0n && value <= LARGEST_AMOUNT;

/** A cost that no event can hold is not to be believed, so the hold itself is charged and flagged. */
export const recordable = (charge: ChargeRequest, held: Money): ChargeRequest => {
  if (isAmount(charge.computed) && isAmount(charge.upstreamCost)) return charge;
  const upstreamCost = isAmount(charge.upstreamCost) ? charge.upstreamCost : held;
  return isAmount(charge.computed) ? { ...charge, upstreamCost } : { ...charge, basis: 'held', computed: held, upstreamCost };
};
