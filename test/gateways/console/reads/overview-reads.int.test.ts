import { expect } from 'chai';
import type { z } from 'zod';
import { dayOf } from '../../../../domain/ledger/time-window.ts';
import type { Owner, TimeRange } from '../../../../gateways/ports/console-reads.ts';
import { tokenTotals } from '../../../../projections/usage/token-totals.ts';
import { OverviewFigures, SpendSeries, TopModels } from '../../../../schemas/http/overview.ts';
import { answered, describeOnShop } from './on-shop.ts';
import { at, DAY_MS, HOUR_MS, KEYS, MODELS, NOW, PEOPLE, ZONES, type Happened } from './shop.ts';

const { ada, bob, cyd } = PEOPLE;
const OWNERS: readonly Owner[] = ['everybody', ada, bob];
const WEEK: TimeRange = { from: NOW - 7 * DAY_MS, to: NOW };

const sumOf = (calls: readonly Happened[]): bigint => calls.reduce((sum, { amount }) => sum + amount, 0n);
const failed = ({ status }: Happened): boolean => (status ?? 599) >= 400;

describeOnShop('the overview', (shop) => {
  const ended = (owner: Owner) =>
    shop().calls.filter((call) => call.state !== 'running' && (owner === 'everybody' || call.userId === owner));
  const within = (owner: Owner, { from, to }: TimeRange) => ended(owner).filter(({ startedAt }) => startedAt >= from && startedAt < to);

  const figures = (calls: readonly Happened[]) => {
    const tokens = calls.map(({ usage }) => tokenTotals(usage));
    const total = (field: 'input' | 'cached' | 'output') => tokens.reduce((sum, each) => sum + each[field], 0);
    const waits = calls.flatMap(({ firstByteMs }) => firstByteMs ?? []).sort((a, b) => a - b);
    const percentile = (share: number) => waits[Math.ceil(share * waits.length) - 1] ?? null;
    return {
      spend: sumOf(calls),
      requests: calls.length,
      failed: calls.filter(failed).length,
      inputTokens: total('input'),
      cachedTokens: total('cached'),
      outputTokens: total('output'),
      firstByteMsP50: percentile(0.5),
      firstByteMsP95: percentile(0.95),
    };
  };

  it('shows what is left, and a period beside the one before', async () => {
    const { reads, balance, held } = shop();
    const sum = (sums: ReadonlyMap<string, bigint>, owner: Owner) =>
      [...sums].filter(([userId]) => owner === 'everybody' || userId === owner).reduce((total, [, amount]) => total + amount, 0n);
    for (const owner of OWNERS) {
      for (const length of [HOUR_MS, 26 * HOUR_MS + 1, 5 * DAY_MS]) {
        const range = { from: NOW - length, to: NOW };
        expect(answered(OverviewFigures, await reads.overview(owner, range))).to.deep.equal({
          from: at(range.from),
          to: at(range.to),
          balance: sum(balance, owner),
          held: sum(held, owner),
          current: figures(within(owner, range)),
          previous: figures(within(owner, { from: NOW - 2 * length, to: NOW - length })),
        });
      }
    }
    expect((await reads.overview('everybody', WEEK)).current.failed).to.be.greaterThan(0);
  });

  it('is all zeros for whoever did nothing, and takes any range', async () => {
    const { reads } = shop();
    const none = answered(OverviewFigures, await reads.overview(cyd, WEEK));
    expect(none).to.deep.include({ balance: 0n, held: 0n, current: figures([]), previous: figures([]) });
    const ever = { from: Date.parse('0000-01-01T00:00:00.000Z'), to: Date.parse('9999-12-31T23:59:59.999Z') };
    expect(answered(OverviewFigures, await reads.overview('everybody', ever)).current).to.deep.equal(figures(ended('everybody')));
  });

  type Series = z.output<typeof SpendSeries>;

  /** Checks an answer against the calls, told by a function into buckets and names. */
  const expectSeries = (
    answer: Series,
    calls: readonly Happened[],
    bucketOf: (call: Happened) => string,
    nameOf: (call: Happened) => string,
    labelOf: (name: string) => string = (name) => name,
  ): void => {
    const names = [...new Set(calls.map(nameOf))];
    const spentOn = (name: string) => sumOf(calls.filter((call) => nameOf(call) === name));
    const ranked = names.sort((a, b) => (spentOn(a) === spentOn(b) ? (a < b ? -1 : 1) : spentOn(a) > spentOn(b) ? -1 : 1));
    expect(answer.names).to.equal(names.length);
    expect(answer.series.map(({ name }) => name)).to.deep.equal([...ranked.slice(0, 6), ...(ranked.length > 6 ? [null] : [])]);
    for (const { name, label, spend, requests, total } of answer.series) {
      const own = calls.filter((call) => (name === null ? ranked.indexOf(nameOf(call)) >= 6 : nameOf(call) === name));
      expect(label).to.equal(name === null ? '' : labelOf(name));
      expect(total).to.equal(sumOf(own));
      expect(spend).to.deep.equal(answer.buckets.map((bucket) => sumOf(own.filter((call) => bucketOf(call) === bucket))));
      expect(requests).to.deep.equal(answer.buckets.map((bucket) => own.filter((call) => bucketOf(call) === bucket).length));
    }
  };

  const hourOf = ({ startedAt }: Happened): string => at(Math.floor(startedAt / HOUR_MS) * HOUR_MS);
  const utcDayOf = ({ startedAt }: Happened): string => at(Math.floor(startedAt / DAY_MS) * DAY_MS);

  it('draws spend by the hour, the dearest models apart', async () => {
    for (const owner of OWNERS) {
      const range = { from: NOW - 50 * HOUR_MS - 1_234, to: NOW };
      const answer = answered(SpendSeries, await shop().reads.spendSeries(owner, range, 'hour', 'model'));
      expect(answer.buckets.length).to.equal(51);
      expect(answer.buckets[0]).to.equal(at(Math.floor(range.from / HOUR_MS) * HOUR_MS));
      expectSeries(answer, within(owner, { from: Date.parse(answer.buckets[0]!), to: NOW }), hourOf, ({ model }) => model);
    }
    expect(new Set(within('everybody', WEEK).map(({ model }) => model)).size).to.equal(MODELS.length);
  });

  it('draws a user’s spend by the days of the user’s own time zone', async () => {
    for (const owner of [ada, bob]) {
      const zone = ZONES.get(owner)!;
      const answer = answered(SpendSeries, await shop().reads.spendSeries(owner, WEEK, 'day', 'key'));
      expect(answer.buckets.length).to.equal(8);
      const offset = owner === bob ? 8 * HOUR_MS : 0;
      for (const bucket of answer.buckets) expect((Date.parse(bucket) + offset) % DAY_MS).to.equal(0);
      const dayStart = ({ startedAt }: Happened) => at(Date.parse(`${dayOf(startedAt, zone)}T00:00:00Z`) - offset);
      const calls = within(owner, { from: Date.parse(answer.buckets[0]!), to: NOW });
      const labels = { [KEYS.alpha]: 'alpha', [KEYS.beta]: 'beta', [KEYS.gamma]: 'gamma' } as Readonly<Record<string, string>>;
      expectSeries(
        answer,
        calls,
        dayStart,
        ({ tokenId }) => tokenId,
        (name) => labels[name] ?? '',
      );
      expect(answer.series.length).to.be.greaterThan(0);
    }
  });

  it('draws everybody’s spend by days in UTC, and misses nobody whose tomorrow has begun', async () => {
    const answer = answered(SpendSeries, await shop().reads.spendSeries('everybody', WEEK, 'day', 'model'));
    expectSeries(answer, within('everybody', { from: Date.parse(answer.buckets[0]!), to: NOW }), utcDayOf, ({ model }) => model);
    expect(
      within(bob, { from: NOW - HOUR_MS, to: NOW }).every(({ startedAt }) => dayOf(startedAt, 'Asia/Shanghai') > dayOf(NOW, 'UTC')),
    ).to.equal(true);
    expect(answer.series.reduce((sum, { spend }) => sum + spend.at(-1)!, 0n)).to.equal(
      sumOf(within('everybody', { from: Date.parse(answer.buckets.at(-1)!), to: NOW })),
    );
  });

  it('draws one line where no names are wanted, and an empty chart where nothing was spent', async () => {
    const { reads } = shop();
    for (const bucket of ['hour', 'day'] as const) {
      const whole = answered(SpendSeries, await reads.spendSeries('everybody', WEEK, bucket, 'none'));
      expect(whole.series.map(({ name, label }) => [name, label])).to.deep.equal([[null, '']]);
      expect(whole.series[0]?.total).to.equal(sumOf(within('everybody', { from: Date.parse(whole.buckets[0]!), to: NOW })));
      const nothing = answered(SpendSeries, await reads.spendSeries(cyd, WEEK, bucket, 'model'));
      expect(nothing).to.deep.include({ series: [], names: 0 });
      expect(nothing.buckets.length).to.equal(bucket === 'day' ? 8 : 7 * 24);
    }
  });

  it('ranks models by what they cost', async () => {
    for (const owner of [...OWNERS, cyd]) {
      const { rows } = answered(TopModels, await shop().reads.topModels(owner, WEEK));
      const calls = within(owner, { from: Math.floor(WEEK.from / HOUR_MS) * HOUR_MS, to: NOW });
      expect(rows.map(({ spend }) => spend)).to.deep.equal([...rows.map(({ spend }) => spend)].sort((a, b) => (a > b ? -1 : 1)));
      expect(rows.length).to.equal(new Set(calls.map(({ model }) => model)).size);
      for (const { model, ...row } of rows) {
        const { spend, requests, failed: failures, inputTokens, outputTokens } = figures(calls.filter((call) => call.model === model));
        expect(row).to.deep.equal({ spend, requests, failed: failures, inputTokens, outputTokens });
      }
    }
  });
});
