import { expect } from 'chai';
import fc from 'fast-check';
import { keepRules } from '../../../../gateways/relay/upstreams/member-rules.ts';
import type { MemberRules } from '../../../../domain/providers/provider-quirks.ts';
import { check } from '../../../ledger/seed.ts';

const kept = (body: string, rules: MemberRules): string => keepRules(Buffer.from(body), rules).toString('utf8');

describe('the members of a body', () => {
  it('are left out, wherever they stand', () => {
    expect(kept('{"a":1,"b":[1,{"a":"}"}],"c":"x"}', { drop: ['a', 'c'] })).to.equal('{"b":[1,{"a":"}"}]}');
    expect(kept(' { "a" : 1 } ', { drop: ['a'] })).to.equal('{}');
  });

  it('are called otherwise, with their values as they are', () => {
    expect(kept('{"seed":1e2,"m":"\\u00e4"}', { rename: { seed: 'random_seed' } })).to.equal('{"random_seed":1e2,"m":"\\u00e4"}');
  });

  it('stand once, where both names are there', () => {
    expect(kept('{"max_completion_tokens":9,"max_tokens":7}', { rename: { max_completion_tokens: 'max_tokens' } })).to.equal(
      '{"max_tokens":7}',
    );
  });

  it('are found under names with escapes', () => {
    expect(kept('{"us\\u0065r":"x","model":"m"}', { drop: ['user'] })).to.equal('{"model":"m"}');
  });

  it('are held to a bound, under whatever name', () => {
    expect(kept('{"top_p":1,"temperature":2}', { most: { top_p: 0.99 } })).to.equal('{"top_p":0.99,"temperature":2}');
    expect(kept('{"p":1}', { rename: { p: 'top_p' }, most: { top_p: 0.99 } })).to.equal('{"top_p":0.99}');
    expect(kept('{"top_p":null}', { most: { top_p: 0.99 } })).to.equal('{"top_p":null}');
  });

  it('are the same bytes where no rule is about them', () => {
    const body = Buffer.from('{ "model" : "m" }');
    expect(keepRules(body, { drop: ['user'], rename: { seed: 'random_seed' }, most: { top_p: 1 } })).to.equal(body);
  });

  it('are those of the parsed value, whatever it is', () => {
    const name = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.string());
    check(
      fc.property(fc.dictionary(name, fc.jsonValue()), fc.constantFrom(0, 2), (value, indent) => {
        const { b, a, ...rest } = value;
        const wanted: Record<string, unknown> = { ...rest };
        if (a !== undefined && !('d' in value)) wanted['d'] = a;
        void b;
        expect(JSON.parse(kept(JSON.stringify(value, null, indent), { drop: ['b'], rename: { a: 'd' } }))).to.deep.equal(
          JSON.parse(JSON.stringify(wanted)),
        );
      }),
    );
  });
});
