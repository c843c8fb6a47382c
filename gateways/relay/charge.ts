import type { UsageReading } from '../../domain/pricing/openai-usage.ts';
import { atRatio, ceilDivide, exactCostAt } from '../../domain/pricing/cost.ts';
import type { Countable } from '../../domain/tokens/chat-text.ts';
import { tellingName } from '../../domain/tokens/tokenizer.ts';
import type { ChargeBasis } from '../../schemas/events/lease.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import { LARGEST_AMOUNT, type Money } from '../../schemas/money.ts';
import type { ModelPrice, Ratio } from '../../schemas/price.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { z } from 'zod';
import type { Hold } from '../ports/spending.ts';
import type { Served } from './attempted.ts';
import type { Call } from './call.ts';
import { counterFor } from './endpoints/count-tokens.ts';
import { moneyOf, type ParsedCharge } from './endpoints/endpoints.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { Route } from './route.ts';

/** What a call used, and how sure that is. */
export interface Measured {
  readonly usage: Usage;
  readonly basis: z.infer<typeof ChargeBasis>;
  readonly computed: Money;
  readonly upstreamCost: Money;
}

export interface ChargedCall {
  /** What the wallet pays. */
  readonly cost: Money;
  readonly usage: Usage;
  readonly basis: z.infer<typeof ChargeBasis>;
}

/** Pieces that are charged beside tokens, where the price has a rate for them. */
const withUnits = (usage: Usage, price: ModelPrice, toolUses: number): Usage => {
  // Nearly all calls, whose usage is not made anew.
  if (price.rates.call === undefined && toolUses === 0) return usage;
  const call = price.rates.call === undefined ? {} : { call: usage.call ?? 1 };
  const toolUse = toolUses > 0 && usage.toolUse === undefined && price.rates.toolUse !== undefined ? { toolUse: toolUses } : {};
  return { ...usage, ...call, ...toolUse };
};

/** A share of the hold, where there is nothing better to go by. */
const shareOf = (amount: Money, share: Ratio, whole: Ratio): Money =>
  whole === 0 ? (0n as Money) : (ceilDivide(amount * BigInt(share), BigInt(whole)) as Money);

const OUTPUT_CLASSES = ['output', 'reasoning', 'audioOutput', 'imageOutput'] as const;

/** What was produced, in tokens of whatever class. */
export const outputTokensOf = (usage: Usage): number => OUTPUT_CLASSES.reduce((tokens, name) => tokens + (usage[name] ?? 0), 0);

/** The upstream's own figures for the prompt; for the answer, of which it may not have told all yet, whichever says more. */
const withReported = (counted: Usage, reported: Usage): Usage => {
  if (outputTokensOf(reported) >= outputTokensOf(counted)) return reported;
  const usage = { ...reported };
  for (const name of OUTPUT_CLASSES) {
    delete usage[name];
    const tokens = counted[name];
    if (tokens !== undefined) usage[name] = tokens;
  }
  return usage;
};

/** `reported`: what an upstream had told of a stream that broke off. */
type Said = Countable & { readonly reported?: Usage | null };

/** Who answered. */
type By = Pick<Served, 'channel' | 'attemptId' | 'upstreamModel'>;

/**
 * What to charge: by the upstream's own usage; by our count where it sent none; the hold itself, flagged, where what it sent
 * cannot be true or comes to more than any account can hold.
 */
const measure = (
  deps: Pick<RelayDeps, 'tokenCounter'>,
  hold: Hold,
  parsed: ParsedCharge,
  { price, groupRatio }: Route,
  { channel, upstreamModel }: By,
  reading: UsageReading,
  produced: () => Said,
): Measured | Promise<Measured> => {
  const rules = moneyOf(parsed.endpoint);
  const { costRatio } = channel.settings;
  const held = (): Measured => ({
    usage: {},
    basis: 'held',
    computed: hold.amount,
    upstreamCost: shareOf(hold.amount, costRatio, groupRatio),
  });
  const priced = (tokens: Usage, basis: z.infer<typeof ChargeBasis>): Measured => {
    const usage = withUnits(tokens, price, rules.toolUses(parsed));
    const exact = exactCostAt(usage, price);
    return { usage, basis, computed: atRatio(exact, groupRatio), upstreamCost: atRatio(exact, costRatio) };
  };
  switch (reading.kind) {
    case 'reported': {
      const measured = priced(reading.usage, 'reported');
      return measured.computed <= LARGEST_AMOUNT && measured.upstreamCost <= LARGEST_AMOUNT ? measured : held();
    }
    case 'unbelievable':
      return held();
    case 'absent': {
      const said = produced();
      const { reported = null } = said;
      return rules
        .estimate(counterFor(deps.tokenCounter, tellingName(upstreamModel, price.model)), parsed, price, said)
        .then((counted) => priced(reported === null ? counted : withReported(counted, reported), 'estimated'));
    }
  }
};

type ChargeDeps = Pick<RelayDeps, 'tokenCounter' | 'spending' | 'metrics' | 'stopwatch'>;

/** Turns the hold into a charge. Resolves once the debit is on record, or with why it will not be. */
export const charge = (
  deps: ChargeDeps,
  call: Call,
  hold: Hold,
  parsed: ParsedCharge,
  route: Route,
  served: By,
  status: number,
  reading: UsageReading,
  produced: () => Said,
): Promise<ChargedCall | Refusal> => {
  if (reading.kind === 'unbelievable') call.detail = `the upstream's usage cannot be true: ${reading.why}`;
  const debit = ({ usage, basis, computed, upstreamCost }: Measured): Promise<ChargedCall | Refusal> => {
    const durationMs = Math.round(deps.stopwatch.elapsed() - call.begun);
    const charging = deps.spending.charge(hold, {
      channelId: served.channel.channelId,
      attemptId: served.attemptId,
      priceListId: route.priceListId,
      groupRatio: route.groupRatio,
      usage,
      basis,
      computed,
      upstreamCost,
      call: call.facts(parsed.endpoint, status, durationMs),
    });
    return charging.then((charged) => {
      if (isRefusal(charged)) return charged;
      call.usage = usage;
      call.basis = basis;
      call.cost = charged.amount;
      deps.metrics.charged(route.model, basis, charged.amount);
      return { cost: charged.amount, usage, basis };
    });
  };
  const measuring = measure(deps, hold, parsed, route, served, reading, produced);
  return measuring instanceof Promise ? measuring.then(debit) : debit(measuring);
};
