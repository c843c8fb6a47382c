import { expect } from 'chai';
import fc from 'fast-check';
import { bucketOf, isDay, periodDays, periodFromText, periodSpan, periodToText, PRESETS, type Period } from '../../../ui/src/lib/period.ts';
import { dayOf, daysBetween, formatAgo, formatDayRange, shiftDay, startOfDay } from '../../../ui/src/lib/time.ts';

const NOW = Date.parse('2026-11-22T21:30:15.000Z');
const HOUR = 3_600_000;

describe('periods', () => {
  it('have a short text in the URL that reads back as the same period', () => {
    for (const kind of PRESETS) expect(periodFromText(periodToText({ kind }))).to.deep.equal({ kind });
    const day = fc
      .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10));
    fc.assert(
      fc.property(day, day, (from, to) => {
        const period: Period = from <= to ? { kind: 'custom', from, to } : { kind: 'custom', from: to, to: from };
        expect(periodFromText(periodToText(period))).to.deep.equal(period);
        expect(periodFromText(`${to}..${from}`)).to.deep.equal(period);
      }),
    );
  });

  it('are not made of what is no period', () => {
    for (const text of [
      '',
      '8d',
      '2026-11-01',
      '2026-13-01..2026-11-02',
      '2026-02-30..2026-03-01',
      'a..b',
      '2026-01-01..2026-01-02..2026-01-03',
    ])
      expect(periodFromText(text), text).to.equal(null);
    expect(isDay('2026-02-29')).to.equal(false);
    expect(isDay('2028-02-29')).to.equal(true);
  });

  it('end today where the reader is', () => {
    expect(periodDays({ kind: '7d' }, NOW, 'UTC')).to.deep.equal({ from: '2026-11-16', to: '2026-11-22' });
    expect(periodDays({ kind: '7d' }, NOW, 'Asia/Shanghai')).to.deep.equal({ from: '2026-11-17', to: '2026-11-23' });
    expect(periodDays({ kind: 'mtd' }, NOW, 'UTC')).to.deep.equal({ from: '2026-11-01', to: '2026-11-22' });
  });

  it('reach to the present unless they say otherwise', () => {
    expect(periodSpan({ kind: '24h' }, NOW, 'UTC')).to.deep.equal({ from: '2026-11-21T22:00:00.000Z' });
    expect(periodSpan({ kind: '30d' }, NOW, 'Asia/Shanghai')).to.deep.equal({ from: '2026-10-24T16:00:00.000Z' });
    expect(periodSpan({ kind: 'custom', from: '2026-11-01', to: '2026-11-02' }, NOW, 'UTC')).to.deep.equal({
      from: '2026-11-01T00:00:00.000Z',
      to: '2026-11-03T00:00:00.000Z',
    });
  });

  it('are drawn by the hour when they are short', () => {
    expect(bucketOf({ kind: '24h' }, NOW, 'UTC')).to.equal('hour');
    expect(bucketOf({ kind: '7d' }, NOW, 'UTC')).to.equal('day');
    expect(bucketOf({ kind: 'custom', from: '2026-11-01', to: '2026-11-02' }, NOW, 'UTC')).to.equal('hour');
    expect(bucketOf({ kind: 'custom', from: '2026-11-01', to: '2026-11-03' }, NOW, 'UTC')).to.equal('day');
  });
});

describe('days and zones', () => {
  it('begin at midnight of the zone, also where the clocks change', () => {
    expect(startOfDay('2026-03-29', 'Europe/Berlin')).to.equal(Date.parse('2026-03-28T23:00:00Z'));
    expect(startOfDay('2026-03-30', 'Europe/Berlin')).to.equal(Date.parse('2026-03-29T22:00:00Z'));
    expect(startOfDay('2026-03-30', 'Europe/Berlin') - startOfDay('2026-03-29', 'Europe/Berlin')).to.equal(23 * HOUR);
    expect(startOfDay('2026-11-22', 'Asia/Kathmandu')).to.equal(Date.parse('2026-11-21T18:15:00Z'));
  });

  it('give a moment back its own day', () => {
    const zone = fc.constantFrom('UTC', 'Asia/Shanghai', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Pacific/Kiritimati');
    fc.assert(
      fc.property(zone, fc.integer({ min: 0, max: 20_000 }), (name, offset) => {
        const day = shiftDay('2000-01-01', offset);
        expect(dayOf(startOfDay(day, name), name)).to.equal(day);
        expect(dayOf(startOfDay(day, name) - 1, name)).to.equal(shiftDay(day, -1));
      }),
    );
  });

  it('walk from day to day', () => {
    expect(daysBetween('2026-02-27', '2026-03-01')).to.deep.equal(['2026-02-27', '2026-02-28', '2026-03-01']);
    expect(daysBetween('2026-03-02', '2026-03-01')).to.deep.equal([]);
  });

  it('are told in words', () => {
    expect(formatAgo('2026-11-22T21:30:00.000Z', NOW, 'en')).to.equal('now');
    expect(formatAgo('2026-11-22T21:25:00.000Z', NOW, 'en')).to.equal('5 minutes ago');
    expect(formatAgo('2026-11-24T21:31:00.000Z', NOW, 'en')).to.equal('in 2 days');
    expect(formatAgo('2026-11-22T21:25:00.000Z', NOW, 'zh-CN')).to.equal('5分钟前');
    expect(formatDayRange('2026-10-24', '2026-11-22', 'en')).to.equal('Oct 24\u2009–\u2009Nov 22');
  });
});
