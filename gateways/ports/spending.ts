import type { Refusal } from '../../schemas/errors.ts';
import type { CallFacts, ChargeBasis, ReleaseReason } from '../../schemas/events/lease.ts';
import type { AttemptId, ChannelId, LeaseId, PriceListId, RequestId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Ratio } from '../../schemas/price.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { z } from 'zod';

/** One reservation: in memory at once, in the log as soon as `durable` resolves. */
export interface Hold {
  readonly requestId: RequestId;
  readonly leaseId: LeaseId;
  /** Nano-dollars set aside for the call. */
  readonly amount: Money;
  /**
   * `null`: the reservation is in the log. A refusal (`log_unavailable`, `lease_lost`, `log_busy`): it is not and never
   * will be; the call is answered with the refusal, nothing is served, and the hold needs no charge and no release.
   */
  readonly durable: Promise<Refusal | null>;
}

export interface ReserveRequest {
  readonly requestId: RequestId;
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly model: string;
  readonly priceListId: PriceListId;
  /** The worst case. */
  readonly amount: Money;
  /** The least that makes the call worth making: the worst case with the useful minimum of output. */
  readonly least: Money;
}

export interface ChargeRequest {
  readonly channelId: ChannelId;
  readonly attemptId: AttemptId;
  readonly priceListId: PriceListId;
  readonly groupRatio: Ratio;
  readonly usage: Usage;
  readonly basis: z.infer<typeof ChargeBasis>;
  /** What the rule came to; may lie above the hold. */
  readonly computed: Money;
  /** What the upstream is reckoned to charge us. */
  readonly upstreamCost: Money;
  readonly call: z.infer<typeof CallFacts>;
}

export interface ReleaseRequest {
  readonly reason: z.infer<typeof ReleaseReason>;
  /** True when an upstream may have billed us for a call that is charged to nobody. */
  readonly reconcile: boolean;
  readonly call: z.infer<typeof CallFacts>;
}

/** How a call's money is set aside and taken. A hold ends with exactly one `charge` or `release`. */
export interface Spending {
  /**
   * Synchronous when the lease in hand covers it (the hot path), else asks the account. The hold's amount is the whole
   * `amount`, or, when less is left, what is left but at least `least`.
   */
  reserve(request: ReserveRequest): Hold | Refusal | Promise<Hold | Refusal>;
  /**
   * Resolves when the debit is durable. Charges min(computed, hold.amount); the rest becomes QuotaOverdrawn. The hold may still be on its way
   * into the log: the debit follows it there, and is refused where it is.
   */
  charge(hold: Hold, charge: ChargeRequest): Promise<Refusal | { readonly amount: Money }>;
  release(hold: Hold, release: ReleaseRequest): Promise<Refusal | null>;
}
