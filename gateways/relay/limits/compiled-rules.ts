import type { Allowance } from '../../../domain/limits/allowance.ts';
import { allowanceOf } from '../../../domain/limits/limit-units.ts';
import { addressMatcher } from '../../../domain/network/address-range.ts';
import { parseAddress } from '../../../domain/network/address.ts';
import type { LimitDimension, LimitPolicy, LimitRule, LimitScope } from '../../../schemas/limits.ts';

/** What rules look at. */
export interface LimitedCall {
  readonly tokenId: string;
  readonly userId: string;
  readonly group: string;
  readonly model: string;
  readonly address: string;
}

/** A rule made ready to be asked for each call. */
export interface CompiledRule {
  readonly rule: LimitRule;
  /** `null`: it counts calls at once. */
  readonly allowance: Allowance | null;
  isFor(call: LimitedCall): boolean;
  /** Under what name this call is counted. */
  nameFor(call: LimitedCall): string;
}

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

const modelMatcher = (patterns: readonly string[]): ((model: string) => boolean) => {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const wild = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => new RegExp(`^${pattern.split('*').map(literally).join('.*')}$`, 's'));
  return (model) => exact.has(model) || wild.some((pattern) => pattern.test(model));
};

const isFor = ({ users, keys, groups, models, addresses }: LimitScope): ((call: LimitedCall) => boolean) => {
  const tests: ((call: LimitedCall) => boolean)[] = [];
  const among = (names: readonly string[] | undefined, of: (call: LimitedCall) => string): void => {
    if (names === undefined) return;
    const set = new Set(names);
    tests.push((call) => set.has(of(call)));
  };
  among(users, ({ userId }) => userId);
  among(keys, ({ tokenId }) => tokenId);
  among(groups, ({ group }) => group);
  if (models !== undefined) {
    const matches = modelMatcher(models);
    tests.push(({ model }) => matches(model));
  }
  if (addresses !== undefined) {
    const matches = addressMatcher(addresses);
    tests.push(({ address }) => matches(address));
  }
  return (call) => tests.every((test) => test(call));
};

/** Who has one address of IPv6 has the 2⁶⁴ beside it. */
const HOST_BITS = 64n;

const networkOf = (text: string): string => {
  const address = parseAddress(text);
  return address === null || address.bits === 32 ? text : `${(address.value >> HOST_BITS).toString(16)}::/64`;
};

const DIMENSIONS: { readonly [D in LimitDimension]: (call: LimitedCall) => string } = {
  key: ({ tokenId }) => tokenId,
  user: ({ userId }) => userId,
  ip: ({ address }) => networkOf(address),
  group: ({ group }) => group,
  model: ({ model }) => model,
};

const compiled = new WeakMap<LimitPolicy, readonly CompiledRule[]>();

/** The rules that are on. Made once for each policy. */
export const compiledRules = (policy: LimitPolicy): readonly CompiledRule[] => {
  let rules = compiled.get(policy);
  if (rules === undefined) {
    rules = policy.rules
      .filter(({ enabled }) => enabled)
      .map((rule) => ({
        rule,
        allowance: rule.measure === 'inFlight' ? null : allowanceOf(rule),
        isFor: isFor(rule.scope),
        nameFor: (call) => [rule.id, ...rule.per.map((dimension) => DIMENSIONS[dimension](call))].join('|'),
      }));
    compiled.set(policy, rules);
  }
  return rules;
};
