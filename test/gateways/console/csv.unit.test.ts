import { expect } from 'chai';
import fc from 'fast-check';
import { csvField, csvLine } from '../../../gateways/console/csv.ts';

/** Reads one line of RFC 4180. */
const parse = (line: string): string[] => {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n)/gy;
  for (let match = pattern.exec(line); match !== null; match = pattern.exec(line))
    fields.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
  return fields;
};

describe('CSV', () => {
  it('comes back as it went in, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (fields) => {
        const harmless = fields.map((field) => (/^[=+\-@\t\r]/.test(field) && !/^-?\d+(\.\d+)?$/.test(field) ? `'${field}` : field));
        expect(parse(csvLine(fields))).to.deep.equal(harmless);
      }),
    );
  });

  it('holds nothing that a spreadsheet would run', () => {
    for (const formula of ['=1+1', '+1+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '=HYPERLINK("http://evil")'])
      expect(csvField(formula).replace(/^"/, '')).to.match(/^'/);
  });

  it('leaves numbers alone', () => {
    for (const number of ['-5', '-0.0015', '42', '0']) expect(csvField(number)).to.equal(number);
    expect(csvField(null)).to.equal('');
  });
});
