import { expect } from 'chai';
import fc from 'fast-check';
import { keepableJson } from '../../../domain/kernel/keepable-json.ts';

const kept = (value: unknown): unknown => JSON.parse(keepableJson(JSON.stringify(value)));

describe('JSON that can be kept', () => {
  it('has a replacement character for NUL and for half of a surrogate pair, in names too', () => {
    expect(kept({ name: 'a\0b', '\0': ['\ud800', 'x\udfff'] })).to.deep.equal({ name: 'a\ufffdb', '\ufffd': ['\ufffd', 'x\ufffd'] });
    expect(keepableJson('"\\uD800\\u0000"')).to.equal('"\\ufffd\\ufffd"');
  });

  it('says what a decoder of UTF-8 makes of it, and nothing that is NUL', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.integer({ min: 0, max: 0xffff })), (text, units) => {
        const odd = text + String.fromCharCode(...units);
        expect(kept([odd])).to.deep.equal([Buffer.from(odd).toString().replaceAll('\0', '\ufffd')]);
      }),
    );
  });

  it('is otherwise what it was: other escapes, pairs however they are written, and backslashes before what looks like an escape', () => {
    for (const json of ['"\\u0001\\n\\u00e9"', '"\\ud83d\\ude00😀"', '"\\\\u0000\\\\\\\\ud800"', '{"a":[1e3,null]}'])
      expect(keepableJson(json)).to.equal(json);
    expect(keepableJson('"\\\\\\u0000"')).to.equal('"\\\\\\ufffd"');
  });
});
