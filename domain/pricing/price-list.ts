import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import type { PriceListId, StreamName } from '../../schemas/ids.ts';
import type { ModelKind, ModelPrice } from '../../schemas/price.ts';
import type { Instant } from '../../schemas/time.ts';
import type { UsageClass } from '../../schemas/usage.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const priceListStream = (priceListId: PriceListId): StreamName => streamName('pricelist', priceListId);

type ListEvent = EventOf<'PriceListPublished' | 'PriceListWithdrawn'>;

/** `current` by its own state; which of several published lists is in force is a matter of the clock. */
export interface PriceList {
  readonly status: 'unpublished' | 'published' | 'withdrawn';
}

const initial: PriceList = { status: 'unpublished' };

const evolve = (_state: PriceList, { type }: ListEvent): PriceList => ({
  status: type === 'PriceListPublished' ? 'published' : 'withdrawn',
});

export type PriceListCommand =
  | {
      readonly kind: 'publish';
      readonly title: string;
      readonly effectiveFrom: Instant;
      readonly asOf: string;
      readonly source: string;
      readonly models: readonly ModelPrice[];
    }
  | { readonly kind: 'withdraw'; readonly reason: string };

/** What a model of a kind cannot be charged without, unless it is charged by the call. A rate of zero is a price; an absent one is not. */
const NEEDED: Readonly<Partial<Record<ModelKind, readonly UsageClass[]>>> = {
  chat: ['input', 'output'],
  completion: ['input', 'output'],
  responses: ['input', 'output'],
  embedding: ['input'],
};

const priceAtFault = ({ model, kind, rates, tiers = [], pictures }: ModelPrice): string | null => {
  if (Object.keys(rates).length === 0) return `${model} has no rate at all; a free model has rates of 0.`;
  if (pictures !== undefined && rates.image === undefined) return `${model} says what pictures count as, and has no rate for the image.`;
  const missing = rates.call === undefined ? NEEDED[kind]?.find((usageClass) => rates[usageClass] === undefined) : undefined;
  if (missing !== undefined) return `${model} has no rate for ${missing}, which every ${kind} call uses.`;
  const thresholds = tiers.map(({ abovePromptTokens }) => abovePromptTokens);
  if (thresholds.some((threshold, index) => index > 0 && threshold <= (thresholds[index - 1] ?? 0)))
    return `The tiers of ${model} are not in rising order.`;
  return null;
};

const decide = (command: PriceListCommand, state: PriceList, priceListId: PriceListId): readonly ListEvent[] | Refusal => {
  if (command.kind === 'withdraw') {
    if (state.status === 'unpublished') return refuse('not_found', 'There is no such price list.');
    return state.status === 'withdrawn' ? [] : [{ type: 'PriceListWithdrawn', data: { priceListId, reason: command.reason } }];
  }
  if (state.status !== 'unpublished')
    return refuse('already_exists', 'This price list has been published already. Publish a new one: a published list never changes.');
  const seen = new Set<string>();
  for (const [index, price] of command.models.entries()) {
    const fault = seen.has(price.model) ? `${price.model} is listed twice.` : priceAtFault(price);
    if (fault !== null) return refuse('invalid_request', fault, { param: `models.${index}` });
    seen.add(price.model);
  }
  const { title, effectiveFrom, asOf, source, models } = command;
  return [{ type: 'PriceListPublished', data: { priceListId, title, effectiveFrom, asOf, source, models: [...models] } }];
};

/** One price list. */
export const priceListOf = (priceListId: PriceListId): Decider<PriceList, PriceListCommand, ListEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, priceListId),
});
