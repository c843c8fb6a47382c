import { expect } from 'chai';
import fc from 'fast-check';
import { check } from '../../ledger/seed.ts';
import { RepeatedJson } from '../../../gateways/relay/repeated-json.ts';

const parsedOrThrown = (parse: (json: string) => unknown, json: string): unknown => {
  try {
    // A copy: what was parsed to may be changed by the next call.
    return structuredClone(parse(json));
  } catch {
    return 'thrown';
  }
};

const told = (text: string, index = 0): string =>
  JSON.stringify({ id: 'x', choices: [{ index, delta: { content: text }, finish_reason: null }] });

describe('JSON that repeats', () => {
  it('is parsed to the same as by a parser, whatever its texts hold and wherever its members are', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '"', '\\', '\\"', '"content":"', '\n', '\u0001', '\u2028', '{"content":"x"}', 'a","content":"b'),
    );
    const one = fc.oneof(
      { weight: 6, arbitrary: text.map((said) => told(said)) },
      { weight: 2, arbitrary: fc.tuple(text, fc.nat(2)).map(([said, index]) => told(said, index)) },
      fc.tuple(text, text).map(([a, b]) => JSON.stringify({ content: a, inner: { content: b } })),
      fc.tuple(text, text).map(([a, b]) => `{"content":${JSON.stringify(a)},"content":${JSON.stringify(b)}}`),
      fc.tuple(text, text).map(([a, b]) => `{"x":${JSON.stringify(a)} , "content":${JSON.stringify(b)}}`),
      fc.json(),
      // Cut, or with bytes that JSON does not allow where they are.
      fc.tuple(text, fc.nat(60)).map(([said, cut]) => told(said).slice(0, -cut)),
      text.map((said) => `{"content":"${said}"}`),
    );
    check(
      fc.property(fc.array(one, { maxLength: 40 }), (all) => {
        const repeated = new RepeatedJson('content');
        for (const json of all)
          expect(parsedOrThrown((it) => repeated.parse(it), json)).to.deep.equal(parsedOrThrown((it) => JSON.parse(it) as unknown, json));
      }),
      2_000,
    );
  });

  it('is not parsed again', () => {
    const repeated = new RepeatedJson('content');
    const values = ['a', 'b', 'c', 'd"\n', 'e'].map((text) => repeated.parse(told(text)));
    expect(values[3]).to.equal(values[2]);
    expect(values[4]).to.equal(values[2]);
    expect(values[4]).to.deep.equal(JSON.parse(told('e')));
  });
});
