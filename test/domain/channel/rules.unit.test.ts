import { expect } from 'chai';
import fc from 'fast-check';
import { applyBodyRules, bodyRuleFault } from '../../../domain/channel/body-rules.ts';
import { applyHeaderRules, headerRuleFault } from '../../../domain/channel/header-rules.ts';
import { withSystemPrompt } from '../../../domain/channel/system-prompt.ts';
import { BodyRule, HeaderRule } from '../../../schemas/events/channel-rules.ts';
import { check } from '../../ledger/seed.ts';

const by = (body: object, ...rules: readonly BodyRule[]): unknown => {
  const changed = structuredClone(body) as Record<string, unknown>;
  return applyBodyRules(
    changed,
    rules.map((rule) => BodyRule.parse(rule)),
  )
    ? changed
    : 'passed over';
};

describe('rules for bodies', () => {
  it('set, fill in and delete, wherever a path leads', () => {
    const body = { a: { b: [{ c: 1 }, { c: 2 }] }, t: null };
    expect(by(body, { op: 'set', path: 'a.b.*.c', value: 9 })).to.deep.equal({ a: { b: [{ c: 9 }, { c: 9 }] }, t: null });
    expect(by(body, { op: 'set', path: 'a.b.-1.c', value: [0] })).to.deep.equal({ a: { b: [{ c: 1 }, { c: [0] }] }, t: null });
    expect(by(body, { op: 'set', path: 'x.y.z', value: true })).to.deep.include({ x: { y: { z: true } } });
    expect(by(body, { op: 'default', path: 't', value: 0.5 }, { op: 'default', path: 'a', value: 1 })).to.deep.equal({ ...body, t: 0.5 });
    expect(by(body, { op: 'delete', path: 'a.b.*' }, { op: 'delete', path: 't' })).to.deep.equal({ a: { b: [] } });
    expect(by(body, { op: 'delete', path: 'a.b.7' }, { op: 'delete', path: 'q.r' })).to.deep.equal(body);
  });

  it('move and copy', () => {
    expect(by({ a: 1 }, { op: 'move', from: 'a', to: 'b.c' })).to.deep.equal({ b: { c: 1 } });
    expect(by({ a: [1] }, { op: 'copy', from: 'a', to: 'b' }, { op: 'set', path: 'b.0', value: 2 })).to.deep.equal({ a: [1], b: [2] });
    expect(by({}, { op: 'move', from: 'a', to: 'b' })).to.deep.equal({});
  });

  it('change texts, and nothing that is none', () => {
    const change = (rule: BodyRule): unknown => by({ text: ' Ab c', number: 1 }, rule, { ...rule, path: 'number' } as BodyRule);
    const text = (rule: BodyRule): unknown => (change(rule) as { text: string }).text;
    expect(text({ op: 'prepend', path: 'text', value: '>' })).to.equal('> Ab c');
    expect(text({ op: 'append', path: 'text', value: '<' })).to.equal(' Ab c<');
    expect(text({ op: 'ensure_prefix', path: 'text', value: ' A' })).to.equal(' Ab c');
    expect(text({ op: 'ensure_suffix', path: 'text', value: '!' })).to.equal(' Ab c!');
    expect(text({ op: 'trim_prefix', path: 'text', value: ' A' })).to.equal('b c');
    expect(text({ op: 'trim_suffix', path: 'text', value: 'c' })).to.equal(' Ab ');
    expect(text({ op: 'replace', path: 'text', find: 'b', with: '$&' })).to.equal(' A$& c');
    expect([text({ op: 'trim', path: 'text' }), text({ op: 'lower', path: 'text' }), text({ op: 'upper', path: 'text' })]).to.deep.equal([
      'Ab c',
      ' ab c',
      ' AB C',
    ]);
    expect(change({ op: 'trim', path: 'text' })).to.deep.include({ number: 1 });
  });

  it('hold only where their conditions do, each seeing what those before it did', () => {
    const hot = { path: 'temperature', is: 'greater', value: 1 } as const;
    const cool: BodyRule = { op: 'set', path: 'temperature', value: 1, when: [hot] };
    expect(by({ temperature: 2 }, cool)).to.deep.equal({ temperature: 1 });
    expect(by({ temperature: 0.5 }, cool)).to.deep.equal({ temperature: 0.5 });
    expect(by({ temperature: 2 }, cool, { op: 'pass_over', when: [hot] })).to.deep.equal({ temperature: 1 });
    expect(by({ temperature: 2 }, { op: 'pass_over', when: [hot] })).to.equal('passed over');
    expect(by({}, { op: 'set', path: 'a', value: 1, when: [{ path: 'b', is: 'present', not: true }] })).to.deep.equal({ a: 1 });
    const list = { path: 'stop', is: 'containing', value: 'x' } as const;
    expect(by({ stop: ['x'] }, { op: 'delete', path: 'stop', when: [list] })).to.deep.equal({});
    expect(by({ stop: 'axb' }, { op: 'delete', path: 'stop', when: [list, { path: 'stop', is: 'prefix', value: 'a' }] })).to.deep.equal({});
  });

  it('never touch what a charge rests on, nor what is behind an object', () => {
    const set = (path: string): BodyRule => ({ op: 'set', path, value: 1 });
    for (const path of [
      'model',
      'messages.0.content',
      'stream',
      'stream_options.include_usage',
      'max_tokens',
      'x.max_tokens',
      'n',
      'service_tier',
    ])
      expect(bodyRuleFault(set(path)), path).to.be.a('string');
    for (const path of [
      'generationConfig',
      'generationConfig.*',
      'generationConfig.maxOutputTokens',
      '*',
      '*.a',
      'a.__proto__.b',
      'constructor',
    ])
      expect(bodyRuleFault(set(path)), path).to.be.a('string');
    expect(bodyRuleFault({ op: 'move', from: 'a', to: 'max_completion_tokens' })).to.be.a('string');
    for (const path of ['temperature', 'generationConfig.topK', 'metadata.user_id', 'a.*.b'])
      expect(bodyRuleFault(set(path)), path).to.equal(null);
    expect(by({}, { op: 'set', path: 'a.constructor2', value: 1 })).to.deep.equal({ a: { constructor2: 1 } });
    expect(BodyRule.safeParse({ op: 'set', path: 'a..b', value: 1 }).success).to.equal(false);
    expect(BodyRule.safeParse({ op: 'eval', path: 'a' }).success).to.equal(false);
  });

  it('leave what they were given as it was, whatever it is', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    check(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), value),
        fc.constantFrom('a', 'a.b', 'a.*', 'a.-1', 'c.b.a'),
        value,
        (body, path, given) => {
          const rules: BodyRule[] = [
            { op: 'set', path, value: given as never },
            { op: 'copy', from: 'a', to: 'd' },
            { op: 'upper', path },
            { op: 'delete', path: 'a.0' },
          ];
          const before = JSON.stringify(rules);
          by(body, ...rules);
          expect(JSON.stringify(rules)).to.equal(before);
          expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
        },
      ),
      200,
    );
  });
});

describe('rules for headers', () => {
  it('set, fill in, delete, and pass on what the client sent', () => {
    const headers: Record<string, string> = { 'user-agent': 'oblivious', 'anthropic-beta': 'x' };
    applyHeaderRules(
      headers,
      [
        { op: 'default', name: 'user-agent', value: 'other' },
        { op: 'set', name: 'x-title', value: 'T' },
        { op: 'delete', name: 'anthropic-beta' },
        { op: 'pass', name: 'openai-beta' },
        { op: 'pass', name: 'x-trace', as: 'x-their-trace' },
        { op: 'pass', name: 'x-missing' },
      ],
      { 'openai-beta': ['a', 'b'], 'x-trace': '7', authorization: 'secret' },
    );
    expect(headers).to.deep.equal({ 'user-agent': 'oblivious', 'x-title': 'T', 'openai-beta': 'a, b', 'x-their-trace': '7' });
  });

  it('never touch credentials nor what belongs to the connection, and take no line breaks', () => {
    for (const name of [
      'authorization',
      'x-api-key',
      'cookie',
      'host',
      'content-length',
      'proxy-authorization',
      'sec-fetch-mode',
      'x-their-key',
    ]) {
      expect(headerRuleFault({ op: 'set', name, value: '' }, 'x-their-key'), name).to.be.a('string');
      expect(headerRuleFault({ op: 'pass', name }, 'x-their-key'), name).to.be.a('string');
      expect(headerRuleFault({ op: 'pass', name: 'x-fine', as: name }, 'x-their-key'), name).to.be.a('string');
    }
    expect(headerRuleFault({ op: 'pass', name: 'x-fine' }, null)).to.equal(null);
    expect(HeaderRule.safeParse({ op: 'set', name: 'x-a', value: 'b\r\nc: d' }).success).to.equal(false);
    expect(HeaderRule.safeParse({ op: 'set', name: 'X-A', value: 'b' }).success).to.equal(false);
  });
});

describe('a channel’s own text', () => {
  const user = { role: 'user', content: 'u' };
  const system = { role: 'system', content: 's' };
  const own = { role: 'system', content: 'own' };
  it('stands where the operator wants it', () => {
    const at = (place: 'before' | 'behind' | 'instead' | 'where_missing', messages: readonly unknown[]): readonly unknown[] =>
      withSystemPrompt(messages, { text: 'own', place });
    expect(at('before', [system, user])).to.deep.equal([own, system, user]);
    expect(at('behind', [system, user])).to.deep.equal([system, own, user]);
    expect(at('behind', [system])).to.deep.equal([system, own]);
    expect(at('instead', [system, user, { role: 'developer', content: 'd' }])).to.deep.equal([own, user]);
    expect(at('where_missing', [system, user])).to.deep.equal([system, user]);
    expect(at('where_missing', [user])).to.deep.equal([own, user]);
  });
});
