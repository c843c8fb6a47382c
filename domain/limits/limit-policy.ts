import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import type { StreamName } from '../../schemas/ids.ts';
import { NO_LIMITS, type LimitPolicy, type LimitRule } from '../../schemas/limits.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';
import { parseAddressRange } from '../network/address-range.ts';
import { MICRO_DOLLAR } from './limit-units.ts';

/** One stream for all rules: they are set together, so that no process ever knows half of a change. */
export const limitPolicyStream: StreamName = streamName('settings', 'limits');

export interface SetLimits {
  readonly kind: 'set';
  readonly policy: LimitPolicy;
}

/** With many of them a pattern takes long to be found wanting. */
const MOST_STARS = 4;

const ruleAtFault = (rule: LimitRule, all: readonly LimitRule[], place: number): Refusal | null => {
  const param = `rules.${place}`;
  const wrong = (message: string, member: string): Refusal => refuse('invalid_request', message, { param: `${param}.${member}` });
  if (all.findIndex(({ id }) => id === rule.id) !== place) return wrong(`There are two rules "${rule.id}".`, 'id');
  if (new Set(rule.per).size !== rule.per.length) return wrong('Something is named twice.', 'per');
  for (const pattern of rule.scope.models ?? [])
    if (pattern.split('*').length > MOST_STARS + 1) return wrong(`A name of models has at most ${MOST_STARS} stars.`, 'scope.models');
  for (const address of rule.scope.addresses ?? [])
    if (parseAddressRange(address) === null) return wrong(`"${address}" is no address and no range of addresses.`, 'scope.addresses');
  if (rule.measure === 'money' && rule.amount < MICRO_DOLLAR)
    return wrong('A limit of money is at least a micro-dollar, 1000 nano-dollars.', 'amount');
  if (rule.measure !== 'inFlight' && rule.burst !== undefined && rule.algorithm === 'slidingWindow')
    return wrong('A sliding window has no burst; a token bucket or a leaky bucket has.', 'burst');
  return null;
};

const textOf = (policy: LimitPolicy): string =>
  JSON.stringify(policy, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
const samePolicy = (a: LimitPolicy, b: LimitPolicy): boolean => textOf(a) === textOf(b);

/** The limits in force. */
export const limitPolicy: Decider<LimitPolicy, SetLimits, EventOf<'LimitsSet'>> = {
  initial: NO_LIMITS,
  evolve: (_state, { data }) => data.policy,
  decide: ({ policy }, state) => {
    for (const [place, rule] of policy.rules.entries()) {
      const fault = ruleAtFault(rule, policy.rules, place);
      if (fault !== null) return fault;
    }
    return samePolicy(policy, state) ? [] : [{ type: 'LimitsSet', data: { policy } }];
  },
};
