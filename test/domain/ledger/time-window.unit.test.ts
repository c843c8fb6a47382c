import { expect } from 'chai';
import fc from 'fast-check';
import { dayOf, endOfDay, monthOf } from '../../../domain/ledger/time-window.ts';
import { check } from '../../ledger/seed.ts';

const HOUR = 3_600_000;
const at = (text: string): number => Date.parse(text);

/** Length in hours of the local day that a moment lies in, walked hour by hour rather than by the code under test. */
const hoursOfDay = (moment: number, zone: string): number => {
  const day = dayOf(moment, zone);
  let from = moment;
  let to = moment;
  while (dayOf(from - 60_000, zone) === day) from -= 60_000;
  while (dayOf(to + 60_000, zone) === day) to += 60_000;
  return Math.round((to - from) / HOUR);
};

describe('days and months of an account', () => {
  const cases: readonly (readonly [zone: string, moment: string, day: string, end: string])[] = [
    ['UTC', '2026-03-10T12:00:00.000Z', '2026-03-10', '2026-03-11T00:00:00.000Z'],
    ['UTC', '2026-03-10T00:00:00.000Z', '2026-03-10', '2026-03-11T00:00:00.000Z'],
    ['UTC', '2026-03-10T23:59:59.999Z', '2026-03-10', '2026-03-11T00:00:00.000Z'],
    ['Asia/Shanghai', '2026-12-31T16:00:00.000Z', '2027-01-01', '2027-01-01T16:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-05-01T09:59:59.999Z', '2026-05-01', '2026-05-01T10:00:00.000Z'],
    ['Pacific/Niue', '2026-05-01T10:59:59.999Z', '2026-04-30', '2026-05-01T11:00:00.000Z'],
    ['Asia/Kathmandu', '2026-05-01T18:14:59.999Z', '2026-05-01', '2026-05-01T18:15:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-04T14:00:00.000Z', '2026-04-05', '2026-04-05T13:30:00.000Z'],
    // Clocks go forward: 23 hours.
    ['Europe/Berlin', '2026-03-28T23:00:00.000Z', '2026-03-29', '2026-03-29T22:00:00.000Z'],
    ['America/New_York', '2026-03-08T05:00:00.000Z', '2026-03-08', '2026-03-09T04:00:00.000Z'],
    // Clocks go back: 25 hours.
    ['Europe/Berlin', '2026-10-24T22:00:00.000Z', '2026-10-25', '2026-10-25T23:00:00.000Z'],
    ['America/New_York', '2026-11-01T04:00:00.000Z', '2026-11-01', '2026-11-02T05:00:00.000Z'],
    // Midnight does not exist: the day begins at one o’clock.
    ['America/Santiago', '2026-09-06T04:00:00.000Z', '2026-09-06', '2026-09-07T03:00:00.000Z'],
    ['Africa/Cairo', '2026-04-23T22:00:00.000Z', '2026-04-24', '2026-04-24T21:00:00.000Z'],
    // Midnight comes twice: the day before is 25 hours long.
    ['America/Santiago', '2026-04-04T03:00:00.000Z', '2026-04-04', '2026-04-05T04:00:00.000Z'],
    // A day that never was: Samoa went from the 29th to the 31st.
    ['Pacific/Apia', '2011-12-30T09:59:59.999Z', '2011-12-29', '2011-12-30T10:00:00.000Z'],
    ['Pacific/Apia', '2011-12-30T10:00:00.000Z', '2011-12-31', '2011-12-31T10:00:00.000Z'],
    // A day of 47 hours and more: Kwajalein lived it when it crossed the date line eastwards.
    ['Pacific/Kwajalein', '1969-09-29T13:00:00.000Z', '1969-09-30', '1969-10-01T12:00:00.000Z'],
    // A leap day.
    ['America/Los_Angeles', '2028-02-29T08:00:00.000Z', '2028-02-29', '2028-03-01T08:00:00.000Z'],
  ];

  for (const [zone, moment, day, end] of cases) {
    it(`${moment} in ${zone} lies in ${day}, which ends at ${end}`, () => {
      expect(dayOf(at(moment), zone)).to.equal(day);
      expect(new Date(endOfDay(at(moment), zone)).toISOString()).to.equal(end);
    });
  }

  it('knows days of 23 and 25 hours', () => {
    expect(hoursOfDay(at('2026-03-29T10:00:00.000Z'), 'Europe/Berlin')).to.equal(23);
    expect(hoursOfDay(at('2026-10-25T10:00:00.000Z'), 'Europe/Berlin')).to.equal(25);
    expect(hoursOfDay(at('2026-06-15T10:00:00.000Z'), 'Europe/Berlin')).to.equal(24);
  });

  it('ends each day of every zone at the first moment of the next one', () => {
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    const moment = fc.integer({ min: at('2012-01-01T00:00:00.000Z'), max: at('2040-01-01T00:00:00.000Z') });
    check(
      fc.property(zone, moment, (timeZone, now) => {
        const end = endOfDay(now, timeZone);
        expect(end).to.be.greaterThan(now);
        expect(end - now).to.be.at.most(26 * HOUR);
        expect(dayOf(end - 1, timeZone)).to.equal(dayOf(now, timeZone));
        expect(dayOf(end, timeZone) > dayOf(now, timeZone)).to.equal(true);
      }),
      300,
    );
  });

  it('names the month by the day', () => expect(monthOf('2026-12-31')).to.equal('2026-12'));
});
