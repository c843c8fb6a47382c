import { createHash } from 'node:crypto';
import { ceilDivide, costOf } from '../../../domain/pricing/cost.ts';
import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { errorTable, isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChargeBasis, ReleaseReason } from '../../../schemas/events/lease.ts';
import type { AttemptId } from '../../../schemas/ids.ts';
import { LARGEST_AMOUNT, type Money } from '../../../schemas/money.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { DirectoryChannel } from '../../ports/directory.ts';
import type { Hold } from '../../ports/spending.ts';
import type { Call, Caller } from '../call.ts';
import { CLIENT_LEFT, elapsed } from '../held-call.ts';
import { IDEMPOTENCY_KEY, type Claim } from '../kept-answers.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import type { PassedPrice } from './passed-price.ts';

/** Money that is set aside for a call. */
export interface HeldMoney {
  readonly hold: Hold;
  readonly price: PassedPrice;
  readonly claim: Claim | null;
}

/** Sets a call's worst case aside, and takes its `Idempotency-Key` for it. */
export const hold = async (
  deps: PipelineDeps,
  call: Call,
  caller: Caller,
  price: PassedPrice,
  body: Buffer | null,
): Promise<HeldMoney | Refusal> => {
  const key = call.req.headers['idempotency-key'];
  if (key !== undefined && (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)))
    return refuse('invalid_request', 'An Idempotency-Key has 1 to 255 printable characters without spaces.');
  const reserved = await deps.spending.reserve({
    requestId: call.requestId,
    userId: caller.user.userId,
    tokenId: caller.token.tokenId,
    model: price.model,
    priceListId: price.priceListId,
    amount: price.amount,
    least: price.amount,
  });
  if (isRefusal(reserved)) return reserved;
  const held: HeldMoney = { hold: reserved, price, claim: null };
  if (key === undefined) return held;
  const hash = createHash('sha256')
    .update(`pass-through ${call.req.method} ${call.req.url}\n`)
    .update(body ?? '')
    .digest('hex');
  const claim = await deps.kept.claim(caller.token.tokenId, key, hash, call.requestId);
  if (!isRefusal(claim)) return { ...held, claim };
  await release(deps, call, held, 'refused', false, errorTable[claim.refused].status);
  return claim;
};

/** Gives it back: nothing is charged. */
export const release = async (
  deps: PipelineDeps,
  call: Call,
  { hold, claim }: HeldMoney,
  reason: ReleaseReason,
  reconcile: boolean,
  status: number,
): Promise<void> => {
  const refusal = await deps.spending.release(hold, { reason, reconcile, call: call.facts('pass_through', status, elapsed(deps, call)) });
  if (refusal !== null) call.detail = `the release was not recorded: ${refusal.refused}`;
  claim?.open();
};

/** What a call came to. What was to be charged by its answer, and whose answer does not say, is charged what was held. */
export const measure = (
  { hold, price: { price, groupRatio, byUsage } }: HeldMoney,
  costRatio: DirectoryChannel['settings']['costRatio'],
  reading: UsageReading,
): { readonly usage: Usage; readonly basis: ChargeBasis; readonly computed: Money; readonly upstreamCost: Money } => {
  const perCall: Usage = price.rates.call === undefined ? {} : { call: 1 };
  const usage: Usage | null = !byUsage ? perCall : reading.kind === 'reported' ? { ...reading.usage, ...perCall } : null;
  if (usage !== null) {
    const computed = costOf(usage, price, groupRatio);
    const upstreamCost = costOf(usage, price, costRatio);
    if (computed <= LARGEST_AMOUNT && upstreamCost <= LARGEST_AMOUNT) return { usage, basis: 'reported', computed, upstreamCost };
  }
  const upstreamCost = groupRatio === 0 ? 0n : ceilDivide(hold.amount * BigInt(costRatio), BigInt(groupRatio));
  return { usage: {}, basis: 'held', computed: hold.amount, upstreamCost: upstreamCost as Money };
};

/** Takes what the call came to. Resolves once that is on record, or with why it will not be. */
export const charge = async (
  deps: PipelineDeps,
  call: Call,
  held: HeldMoney,
  channel: DirectoryChannel,
  attemptId: AttemptId,
  { status, reading }: { readonly status: number; readonly reading: UsageReading },
): Promise<Refusal | null> => {
  const { hold, price, claim } = held;
  const { usage, basis, computed, upstreamCost } = measure(held, channel.settings.costRatio, reading);
  const charged = await deps.spending.charge(hold, {
    channelId: channel.channelId,
    attemptId,
    priceListId: price.priceListId,
    groupRatio: price.groupRatio,
    usage,
    basis,
    computed,
    upstreamCost,
    call: call.facts('pass_through', call.clientGone ? CLIENT_LEFT : status, elapsed(deps, call)),
  });
  claim?.spent();
  if (isRefusal(charged)) return charged;
  call.usage = usage;
  call.basis = basis;
  call.cost = charged.amount;
  deps.metrics.charged(price.model, basis, charged.amount);
  return null;
};
