import { expect } from 'chai';
import { repeats } from '../../../infra/logging/repeats.ts';

describe('lines that say the same again', () => {
  let now: number;
  let leftOut: ReturnType<typeof repeats>;
  beforeEach(() => {
    now = 0;
    leftOut = repeats(() => now);
  });

  it('are written every ten seconds, with how many were left out', () => {
    const tell = (): number | null => leftOut('warn', 'a fault', { what: 'append', error: new Error('no space left') });
    expect(tell()).to.equal(0);
    expect([tell(), tell(), tell()]).to.deep.equal([null, null, null]);
    now = 10_000;
    expect(tell()).to.equal(3);
    expect(tell()).to.equal(null);
    now = 40_000;
    expect(tell()).to.equal(1);
  });

  it('are those with the same words in every field, whatever their stacks', () => {
    const tell = (level: string, worker: string, reason: string): number | null =>
      leftOut(level, 'interrupted', { worker, error: new Error(reason) });
    expect(tell('warn', 'exports', 'gone')).to.equal(0);
    expect(tell('warn', 'notifier', 'gone')).to.equal(0);
    expect(tell('warn', 'exports', 'refused')).to.equal(0);
    expect(tell('error', 'exports', 'gone')).to.equal(0);
    expect(tell('warn', 'exports', 'gone')).to.equal(null);
  });

  it('are not told apart without a bound', () => {
    for (let n = 0; n < 1_001; n++) expect(leftOut('error', 'a request failed', { requestId: `req_${n}`, size: 1n })).to.equal(0);
    expect(leftOut('error', 'a request failed', { requestId: 'req_0', size: 1n })).to.equal(0);
    expect(leftOut('error', 'a request failed', { requestId: 'req_1000', size: 1n })).to.equal(null);
  });
});
