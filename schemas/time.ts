import { z } from 'zod';

/** A moment as events and APIs carry it: ISO 8601, UTC, milliseconds. */
export const Instant = z.iso.datetime({ precision: 3 });
export type Instant = z.infer<typeof Instant>;

/** A calendar day in an account's own time zone, `YYYY-MM-DD`. Its first seven characters name the month. */
export const Day = z.iso.date();
export type Day = z.infer<typeof Day>;

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

/** An IANA time zone, such as `Asia/Shanghai`. */
export const TimeZone = z.string().max(64).refine(isTimeZone, 'expected an IANA time zone such as Europe/Berlin');
export type TimeZone = z.infer<typeof TimeZone>;
