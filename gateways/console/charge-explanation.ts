import type { z } from 'zod';
import type { EventLog } from '../../commands/ports/event-log.ts';
import { accountStream } from '../../domain/ledger/account.ts';
import { leaseStream } from '../../domain/ledger/lease.ts';
import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { ceilDivide, COST_DENOMINATOR, exactCost, promptTokensOf } from '../../domain/pricing/cost.ts';
import { priceListStream } from '../../domain/pricing/price-list.ts';
import { ratesFor } from '../../domain/pricing/rates.ts';
import type { RecordedEvent } from '../../schemas/event-envelope.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import type { ChargeExplanation } from '../../schemas/http/ledger.ts';
import type { LeaseId, PriceListId, RequestId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { ModelPrice } from '../../schemas/price.ts';
import { TOKEN_CLASSES, USAGE_CLASSES, type TokenClass } from '../../schemas/usage.ts';

type ReadsStreams = Pick<EventLog, 'readStream'>;
type Explanation = z.output<typeof ChargeExplanation>;

const isTokenClass = (name: string): name is TokenClass => (TOKEN_CLASSES as readonly string[]).includes(name);

/** A fraction of a power of ten, exactly, as people write it: 12345 of 1000 is `12.345`. */
export const decimalText = (numerator: bigint, power: number): string => {
  const digits = numerator.toString().padStart(power + 1, '0');
  const fraction = power === 0 ? '' : digits.slice(-power).replace(/0+$/, '');
  const whole = power === 0 ? digits : digits.slice(0, -power);
  return fraction === '' ? whole : `${whole}.${fraction}`;
};

/** Nano-dollars per million tokens: six decimals. Times a ratio in millionths: twelve. */
const PER_MILLION = 6;
const PER_MILLION_AND_RATIO = 12;

interface Charge {
  readonly recorded: RecordedEvent;
  readonly debit: EventOf<'QuotaDebited'>['data'];
  readonly held: Money;
}

const chargeIn = async (log: ReadsStreams, leaseId: LeaseId, requestId: RequestId): Promise<Charge | null> => {
  let held = 0n as Money;
  for await (const recorded of log.readStream(leaseStream(leaseId))) {
    if (recorded.type !== 'QuotaReserved' && recorded.type !== 'QuotaDebited') continue;
    const event = decodeEvent(recorded);
    if (event.type === 'QuotaReserved' && event.data.requestId === requestId) held = event.data.amount;
    if (event.type === 'QuotaDebited' && event.data.requestId === requestId) return { recorded, debit: event.data, held };
  }
  return null;
};

const priceIn = async (
  log: ReadsStreams,
  priceListId: PriceListId,
  model: string,
): Promise<{ readonly title: string; readonly price: ModelPrice } | null> => {
  for await (const recorded of log.readStream(priceListStream(priceListId), { limit: 1 })) {
    const event = decodeEvent(recorded);
    if (event.type !== 'PriceListPublished') return null;
    const price = event.data.models.find((listed) => listed.model === model);
    return price === undefined ? null : { title: event.data.title, price };
  }
  return null;
};

/** What happened to a charge afterwards, on its payer's account. */
const aftermathOf = async (
  log: ReadsStreams,
  userId: UserId,
  requestId: RequestId,
): Promise<{ readonly overdrawn: Money; readonly refunded: Money }> => {
  let overdrawn = 0n;
  let refunded = 0n;
  for await (const recorded of log.readStream(accountStream(userId))) {
    if (recorded.type !== 'QuotaOverdrawn' && recorded.type !== 'ChargeRefunded') continue;
    const event = decodeEvent(recorded);
    if (event.type === 'QuotaOverdrawn' && event.data.requestId === requestId) overdrawn += event.data.amount;
    if (event.type === 'ChargeRefunded' && event.data.requestId === requestId) refunded += event.data.amount;
  }
  return { overdrawn: overdrawn as Money, refunded: refunded as Money };
};

/**
 * How a charge came about, from the log alone: its own event, the price list that the event names, and its payer's account.
 * `null` when there is no such charge.
 */
export const explainCharge = async (log: ReadsStreams, leaseId: LeaseId, requestId: RequestId): Promise<Explanation | null> => {
  const charge = await chargeIn(log, leaseId, requestId);
  if (charge === null) return null;
  const { recorded, debit, held } = charge;
  const { userId, tokenId, model, basis, priceListId, groupRatio, usage, amount, computed, upstreamCost, channelId } = debit;
  const [listed, aftermath] = [await priceIn(log, priceListId, model), await aftermathOf(log, userId, requestId)];
  const common = {
    requestId,
    userId,
    tokenId,
    leaseId,
    model,
    recordedAt: recorded.recordedAt,
    position: recorded.position.toString(),
    basis,
    priceListId,
    groupRatio,
    computed,
    held,
    amount,
    upstreamCost,
    channelId,
    ...aftermath,
  };
  if (listed === null) return { ...common, priceListTitle: '', tierAbovePromptTokens: null, lines: [], exact: '0', agrees: false };

  const promptTokens = promptTokensOf(usage);
  const rates = ratesFor(listed.price, promptTokens);
  const tier = (listed.price.tiers ?? []).map(({ abovePromptTokens }) => abovePromptTokens).filter((threshold) => promptTokens > threshold);
  const lines = USAGE_CLASSES.flatMap((name) => {
    const quantity = usage[name] ?? 0;
    if (quantity === 0) return [];
    const rate = rates[name] as Money;
    const product = BigInt(quantity) * rate;
    return [
      isTokenClass(name)
        ? { class: name, quantity, rate, per: 'million' as const, exact: decimalText(product, PER_MILLION) }
        : { class: name, quantity, rate, per: 'piece' as const, exact: decimalText(product, 0) },
    ];
  });
  const exact = exactCost(usage, rates) * BigInt(groupRatio);
  const byRule = ceilDivide(exact, COST_DENOMINATOR);
  return {
    ...common,
    priceListTitle: listed.title,
    tierAbovePromptTokens: tier.length === 0 ? null : Math.max(...tier),
    lines,
    exact: decimalText(exact, PER_MILLION_AND_RATIO),
    // What could not be believed was charged at the hold, and no rule gives that.
    agrees: basis === 'held' ? amount === held : byRule === computed && amount === (computed < held ? computed : held),
  };
};
