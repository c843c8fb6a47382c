import { expect } from 'chai';
import { toCsv } from '../../../ui/src/lib/csv.ts';

describe('tables as CSV', () => {
  it('begin with a byte order mark and quote what needs it', () => {
    expect(toCsv(['Name', 'Amount'], [['a "b", c', '1.5']])).to.equal('\uFEFFName,Amount\r\n"a ""b"", c",1.5\r\n');
  });

  it('run nothing in a spreadsheet, and keep negative figures', () => {
    expect(toCsv(['x'], [['=1+1'], ['@cmd'], ['-2.5'], ['-cmd']])).to.equal("\uFEFFx\r\n'=1+1\r\n'@cmd\r\n-2.5\r\n'-cmd\r\n");
  });
});
