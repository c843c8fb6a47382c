import { expect } from 'chai';
import fc from 'fast-check';
import { scanObject, splice, type Span } from '../../../gateways/relay/json-spans.ts';
import { check } from '../../ledger/seed.ts';

const LIMITS = { depth: 16, members: 32 };
const textOf = (bytes: Buffer, span: Span | null | undefined): string | null =>
  span === null || span === undefined ? null : bytes.toString('utf8', span.start, span.end);
const scan = (text: string, names: readonly string[], strict = true) =>
  scanObject(Buffer.from(text), names, strict ? { strict: LIMITS } : {});

/** JSON text of a value, with white space wherever the grammar allows some. */
const spaced = (value: unknown, space: () => string): string => {
  if (Array.isArray(value)) return `[${space()}${value.map((each) => spaced(each, space)).join(`${space()},${space()}`)}${space()}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${space()}${Object.entries(value)
      .map(([name, each]) => `${JSON.stringify(name)}${space()}:${space()}${spaced(each, space)}`)
      .join(`${space()},${space()}`)}${space()}}`;
  }
  return JSON.stringify(value);
};

const anyObject = fc.dictionary(
  fc.oneof(fc.constantFrom('model', 'usage', 'a"b', 'ключ', '\\'), fc.string({ maxLength: 40 })),
  fc.jsonValue({ maxDepth: 3 }),
  { maxKeys: 8 },
);

describe('places in JSON text', () => {
  it('are found at the top level only, whatever strings and nested objects hold', () => {
    const text = ' {"a":{"model":1},"s":"\\"model\\":\\\\","model" : "x" ,"n":[{"model":2}],"usage":{"t":[1,2]}} ';
    const { spans, closed } = scan(text, ['model', 'usage', 'absent']);
    expect(spans.map((span) => textOf(Buffer.from(text), span))).to.deep.equal(['"x"', '{"t":[1,2]}', null]);
    expect(closed).to.equal(true);
  });

  it('are those of the parser, for any object in any layout', () => {
    check(
      fc.property(
        anyObject,
        fc.array(fc.constantFrom('', ' ', '\n', '\t', '\r\n  '), { minLength: 1, maxLength: 12 }),
        (object, spaces) => {
          let next = 0;
          const bytes = Buffer.from(spaced(object, () => spaces[next++ % spaces.length] as string));
          const names = Object.keys(object);
          const { spans, closed, repeated } = scanObject(bytes, names, { strict: { depth: 99, members: 99 } });
          expect(closed).to.equal(true);
          expect(repeated).to.equal(null);
          names.forEach((name, index) =>
            expect(JSON.parse(textOf(bytes, spans[index]) ?? 'null')).to.deep.equal(JSON.parse(JSON.stringify(object[name]))),
          );
        },
      ),
    );
  });

  it('are not claimed of what is no object', () => {
    for (const text of [
      '',
      '  ',
      '[]',
      '"x"',
      '{',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":"x}',
      '{a:1}',
      '{"a":1} x',
      '{"a":1}{"a":2}',
      'null',
    ]) {
      expect(scan(text, ['a']).closed, text).to.equal(false);
    }
  });

  it('never fail on arbitrary bytes', () => {
    check(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void scanObject(Buffer.from(bytes), ['a'], { strict: LIMITS })));
    check(
      fc.property(
        fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'a', '1', ' '), maxLength: 60 }),
        (text) => void scan(text, ['a']),
      ),
    );
  });

  it('are told apart from what is there twice, also when it is written in another way', () => {
    expect(scan('{"model":"a","x":1,"model":"b"}', ['model']).repeated).to.equal('model');
    expect(scan('{"model":"a","mod\\u0065l":"b"}', ['model']).repeated).to.equal('model');
    expect(scan('{"x":1,"x":2}', ['model']).repeated).to.equal('x');
    expect(scan('{"x":{"model":1,"model":2}}', ['model']).repeated).to.equal(null);
  });

  it('are told apart from what another parser would take for them', () => {
    for (const name of ['Model', 'MODEL', 'max_to\u212Aens', 'ſtream']) {
      expect(scan(JSON.stringify({ [name]: 1 }), ['model', 'max_tokens', 'stream']).disguised, name).to.equal(name);
    }
    for (const name of ['models', 'X-Model', 'модель'])
      expect(scan(JSON.stringify({ [name]: 1 }), ['model']).disguised, name).to.equal(null);
  });

  it('are bounded in depth and number', () => {
    expect(scan(`{"a":${'['.repeat(16)}${']'.repeat(16)}}`, []).tooDeep).to.equal(false);
    expect(scan(`{"a":${'['.repeat(17)}${']'.repeat(17)}}`, []).tooDeep).to.equal(true);
    expect(scan(`{"a":${'['.repeat(1_000_000)}`, []).tooDeep).to.equal(true);
    expect(scan(`{${Array.from({ length: 33 }, (_, index) => `"k${index}":0`).join(',')}}`, []).tooMany).to.equal(true);
  });

  it('are found in long strings with quotes and backslashes at every place', () => {
    check(
      fc.property(fc.array(fc.constantFrom('"', '\\', 'a', '\\"', '\\\\'), { maxLength: 120 }), (pieces) => {
        const object = { long: pieces.join(''), model: 'm' };
        const bytes = Buffer.from(JSON.stringify(object));
        expect(textOf(bytes, scanObject(bytes, ['model']).spans[0])).to.equal('"m"');
      }),
    );
  });
});

describe('splicing', () => {
  it('keeps every other byte', () => {
    check(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.array(fc.tuple(fc.nat(100), fc.nat(10), fc.string({ maxLength: 5 })), { maxLength: 4 }),
        (raw, wished) => {
          const bytes = Buffer.from(raw);
          let at = 0;
          const edits = wished
            .toSorted((a, b) => a[0] - b[0])
            .flatMap(([start, length, text]) => {
              const edit = { start: Math.min(bytes.length, Math.max(at, start)), end: 0, text };
              edit.end = Math.min(bytes.length, edit.start + length);
              at = edit.end;
              return [edit];
            });
          let expected = '';
          let from = 0;
          for (const { start, end, text } of edits) {
            expected += bytes.toString('latin1', from, start) + Buffer.from(text).toString('latin1');
            from = end;
          }
          expected += bytes.toString('latin1', from);
          expect(splice(bytes, edits.toReversed()).toString('latin1').length).to.equal(expected.length);
          expect(splice(bytes, edits).toString('latin1')).to.equal(expected);
        },
      ),
    );
  });

  it('copies nothing when there is nothing to do', () => {
    const bytes = Buffer.from('abc');
    expect(splice(bytes, [])).to.equal(bytes);
  });
});
