import { expect } from 'chai';
import { RoutingRules } from '../../../schemas/events/routing.ts';
import type { RoutingRule } from '../../../ui/src/api/routing.ts';
import { withRoutingChange } from '../../../ui/src/features/routing/routing-change.ts';
import {
  emptyRoutingDraft,
  isUnreachable,
  readRoutingDraft,
  routingDraftOf,
  routingFieldOf,
  type RoutingDraft,
} from '../../../ui/src/features/routing/routing-draft.ts';
import { sampleRouting } from '../support/sample-data.ts';

const { rules } = sampleRouting(Date.parse('2026-11-22T12:00:00.000Z'));
const [first, second, third] = rules as [RoutingRule, RoutingRule, RoutingRule];
const errorsOf = (change: Partial<RoutingDraft>) => readRoutingDraft({ ...emptyRoutingDraft(), ...change }).errors;

describe('the form of a rule of routing', () => {
  it('gives back the rule that it was filled from, and one that the server takes', () => {
    for (const rule of rules) expect(readRoutingDraft(routingDraftOf(rule))).to.deep.equal({ rule, errors: {} });
    expect(RoutingRules.safeParse(rules.map((rule) => readRoutingDraft(routingDraftOf(rule)).rule)).success).to.equal(true);
  });

  it('says what is wrong, field by field', () => {
    expect(errorsOf({ models: 'gpt-*, a*b*' })).to.deep.equal({ models: 'stars' });
    expect(errorsOf({ groups: 'x'.repeat(65) })).to.deep.equal({ groups: 'groups' });
    expect(errorsOf({ affinity: ['user', '', 'user'] })).to.deep.equal({ affinity: 'affinity' });
    for (const hedge of ['49', '60001', 'soon', '2.5', '100000']) expect(errorsOf({ hedge }), hedge).to.deep.equal({ hedge: 'hedge' });
    expect(errorsOf({ affinity: ['', 'session', ''], hedge: '50' })).to.deep.equal({});
  });

  it('knows which field the server means, and which rule no call can reach', () => {
    expect(['rules.0.models.2', 'rules.1.hedgeMs', 'rules.1.strategy', null].map(routingFieldOf)).to.deep.equal([
      'models',
      'hedge',
      null,
      null,
    ]);
    expect(rules.map((_, place) => isUnreachable(rules, place))).to.deep.equal([false, false, true]);
  });
});

describe('changing one rule of routing', () => {
  it('keeps the others and their order', () => {
    const made = { ...first, hedgeMs: 100 };
    expect(withRoutingChange(rules, { kind: 'add', rule: made, where: 'first' })).to.deep.equal([made, ...rules]);
    expect(withRoutingChange(rules, { kind: 'add', rule: made, where: 'last' })).to.deep.equal([...rules, made]);
    expect(withRoutingChange(rules, { kind: 'replace', before: first, after: made })).to.deep.equal([made, second, third]);
    expect(withRoutingChange(rules, { kind: 'move', rule: third, by: -1 })).to.deep.equal([first, third, second]);
    expect(withRoutingChange(rules, { kind: 'move', rule: first, by: -1 })).to.deep.equal(rules);
    expect(withRoutingChange(rules, { kind: 'move', rule: first, by: 1 })).to.deep.equal([second, first, third]);
    expect(withRoutingChange(rules, { kind: 'remove', rule: second })).to.deep.equal([first, third]);
  });

  it('does not where the rule is another by now', () => {
    expect(withRoutingChange([second], { kind: 'remove', rule: first })).to.equal(null);
    expect(withRoutingChange(rules, { kind: 'replace', before: { ...first, hedgeMs: 1 }, after: second })).to.equal(null);
  });
});
