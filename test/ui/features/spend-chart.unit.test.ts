import { expect } from 'chai';
import type { SpendSeries } from '../../../ui/src/api/overview.ts';
import { changeSince, daysLeft, prepareSpend, toggleSeries } from '../../../ui/src/features/overview/spend-chart.ts';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const BUCKETS = ['2026-11-21T00:00:00.000Z', '2026-11-22T00:00:00.000Z'];

const series = (name: string | null, ...spend: string[]): SpendSeries['series'][number] => ({
  name,
  label: name ?? 'Other',
  spend,
  requests: spend.map(() => 1),
  total: spend.reduce((sum, each) => sum + BigInt(each), 0n).toString(),
});
const answer = (...rows: SpendSeries['series']): SpendSeries => ({
  from: BUCKETS[0]!,
  to: '2026-11-22T12:00:00.000Z',
  bucket: 'day',
  buckets: BUCKETS,
  names: rows.length,
  series: rows,
});

describe('the spend chart', () => {
  it('stacks the largest first and the rest last, in grey', () => {
    const data = prepareSpend(answer(series(null, '1', '1'), series('small', '5', '0'), series('large', '9', '9')), NOW);
    expect(data.series.map((each) => each.name)).to.deep.equal(['large', 'small', null]);
    expect(data.series.at(-1)?.colour).to.equal(null);
    expect(data.totals).to.deep.equal(['15', '10']);
    expect(data.total).to.equal('25');
  });

  it('folds what is beyond six into the rest, exactly', () => {
    const rows = Array.from({ length: 9 }, (_, index) => series(`m${index}`, `${9_007_199_254_740_993n + BigInt(index)}`, '1'));
    const data = prepareSpend(answer(...rows, series(null, '7', '7')), NOW);
    expect(data.series).to.have.length(7);
    expect(data.named).to.equal(6);
    const rest = data.series.at(-1)!;
    expect(rest.amounts[0]).to.equal((3n * 9_007_199_254_740_993n + 0n + 1n + 2n + 7n).toString());
    expect(rest.requests).to.deep.equal([4, 4]);
    expect(BigInt(data.total)).to.equal(rows.reduce((sum, row) => sum + BigInt(row.total), 14n));
  });

  it('leaves an empty rest out', () => {
    const nothing: SpendSeries['series'][number] = { ...series(null, '0', '0'), requests: [0, 0] };
    expect(prepareSpend(answer(series('a', '1', '2'), nothing), NOW).series.map((each) => each.name)).to.deep.equal(['a']);
  });

  it('knows that the last bar is still filling', () => {
    expect(prepareSpend(answer(series('a', '1', '2')), NOW).partial).to.equal(true);
    expect(prepareSpend(answer(series('a', '1', '2')), Date.parse('2026-11-23T00:00:00.000Z')).partial).to.equal(false);
  });

  it('gives a model the same colour whatever its rank', () => {
    const first = prepareSpend(answer(series('a', '9', '9'), series('b', '1', '1')), NOW);
    const second = prepareSpend(answer(series('a', '1', '1'), series('b', '9', '9')), NOW);
    expect(first.series.find((each) => each.name === 'a')?.colour).to.equal(second.series.find((each) => each.name === 'a')?.colour);
  });

  it('isolates a series by a click and brings all back by a second', () => {
    const all = ['a', 'b', null];
    const alone = toggleSeries(new Set(), all, 'b', true);
    expect([...alone]).to.deep.equal(['a', null]);
    expect(toggleSeries(alone, all, 'b', true).size).to.equal(0);
  });

  it('hides and shows one with Shift, but never all', () => {
    const all = ['a', 'b'];
    const one = toggleSeries(new Set(), all, 'a', false);
    expect([...one]).to.deep.equal(['a']);
    expect(toggleSeries(one, all, 'b', false).size).to.equal(0);
    expect(toggleSeries(one, all, 'a', false).size).to.equal(0);
  });

  it('compares with the period before', () => {
    expect(changeSince('150', '100')).to.equal(0.5);
    expect(changeSince('50', '100')).to.equal(-0.5);
    expect(changeSince('50', '0')).to.equal(null);
  });

  it('tells how long a balance lasts', () => {
    const week = 7 * 86_400_000;
    expect(daysLeft('781940312450', '318059687550', week)).to.equal(17);
    expect(daysLeft('1', '0', week)).to.equal(null);
    expect(daysLeft('0', '5', week)).to.equal(null);
    expect(daysLeft('1000000', '1', week)).to.equal(null);
  });
});
