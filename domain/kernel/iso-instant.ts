let lastMoment = 0;
let lastText = '1970-01-01T00:00:00.000Z';

/** ISO 8601 of milliseconds since the epoch. Much happens within one millisecond, so the last answer is kept: making it costs more than a call's arithmetic. */
export const isoInstant = (moment: number): string => {
  if (moment !== lastMoment) {
    lastText = new Date(moment).toISOString();
    lastMoment = moment;
  }
  return lastText;
};

/** Whole seconds since the epoch, of an instant in ISO 8601. */
export const epochSeconds = (instant: string): number => Math.floor(Date.parse(instant) / 1_000);
