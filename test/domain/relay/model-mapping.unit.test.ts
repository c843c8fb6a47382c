import { expect } from 'chai';
import fc from 'fast-check';
import { cycleIn, ModelMap, normalisedModel } from '../../../domain/relay/model-mapping.ts';
import { starOf } from '../../../domain/relay/name-pattern.ts';
import { DEFAULT_ROUTING, routingFor } from '../../../domain/relay/routing-rules.ts';
import type { RoutingRule } from '../../../schemas/events/routing.ts';
import { check } from '../../ledger/seed.ts';

const to = (mappings: Readonly<Record<string, string>>): { model: string; upstreamModel: string }[] =>
  Object.entries(mappings).map(([model, upstreamModel]) => ({ model, upstreamModel }));
const upstreamName = (mappings: Readonly<Record<string, string>>, model: string): string | null =>
  new ModelMap(to(mappings)).get(model)?.upstreamModel ?? null;

describe('what a channel makes of a model’s name', () => {
  it('follows names that it maps itself', () => {
    const mappings = { fast: 'mini', mini: 'mini-2026', plain: 'plain' };
    expect(['fast', 'mini', 'plain', 'other'].map((model) => upstreamName(mappings, model))).to.deep.equal([
      'mini-2026',
      'mini-2026',
      'plain',
      null,
    ]);
  });

  it('knows mappings that come round, and takes one step of them', () => {
    expect(cycleIn(to({ a: 'b', b: 'c', c: 'a' }))).to.equal('a');
    expect(cycleIn(to({ a: 'b', b: 'b' }))).to.equal(null);
    expect(upstreamName({ a: 'b', b: 'a' }, 'a')).to.equal('b');
  });

  it('puts in what the star stands for, the longest pattern first', () => {
    const mappings = { '*': 'any/*', 'gpt-*': 'openai/gpt-*', 'gpt-4': 'four' };
    expect(['gpt-4', 'gpt-5', 'claude', '$&'].map((model) => upstreamName(mappings, model))).to.deep.equal([
      'four',
      'openai/gpt-5',
      'any/claude',
      'any/$&',
    ]);
    expect(upstreamName({ '*-latest': 'newest' }, 'x-latest')).to.equal('newest');
  });

  it('always comes to an end', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'a*', '*');
    check(
      fc.property(fc.array(fc.tuple(name, name)), fc.constantFrom('a', 'b', 'zz'), (pairs, asked) => {
        const mappings = pairs.filter(([model, upstream]) => model.includes('*') || !upstream.includes('*'));
        const map = new ModelMap(mappings.map(([model, upstreamModel]) => ({ model, upstreamModel })));
        expect(map.get(asked)?.upstreamModel ?? '').to.be.a('string');
      }),
      200,
    );
  });

  it('looks past capitals, spaces and the folder of a name', () => {
    expect([' GPT-4o', 'models/gemini-pro', 'plain'].map(normalisedModel)).to.deep.equal(['gpt-4o', 'gemini-pro', 'plain']);
  });

  it('matches a star with any text, and nothing twice', () => {
    expect([starOf('a*a', 'a'), starOf('a*a', 'aa'), starOf('a*a', 'aba'), starOf('b', 'b'), starOf('b', 'c')]).to.deep.equal([
      null,
      '',
      'b',
      '',
      null,
    ]);
  });
});

describe('the rules of routing', () => {
  const rule = (more: Partial<RoutingRule>): RoutingRule => ({
    models: null,
    groups: null,
    strategy: 'weighted',
    affinity: [],
    hedgeMs: null,
    ...more,
  });

  it('hold from the first that fits the model and the group', () => {
    const rules = [
      rule({ models: ['gpt-*'], groups: ['vip'], strategy: 'lowest_latency' }),
      rule({ models: ['gpt-4', 'claude-*'], strategy: 'lowest_cost' }),
    ];
    const strategyOf = (model: string, group: string): string => routingFor(rules, model, group).strategy;
    expect(strategyOf('gpt-4', 'vip')).to.equal('lowest_latency');
    expect(strategyOf('gpt-4', 'default')).to.equal('lowest_cost');
    expect(strategyOf('claude-5', 'vip')).to.equal('lowest_cost');
    expect(routingFor(rules, 'gpt-5', 'default')).to.equal(DEFAULT_ROUTING);
  });
});
