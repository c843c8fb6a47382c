const formats = new Map<string, Intl.DateTimeFormat>();

/** The calendar day of a moment in a time zone, `YYYY-MM-DD`, put together from its parts. */
export const localDay = (moment: number, timeZone: string): string => {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone, calendar: 'gregory', year: 'numeric', month: 'numeric', day: 'numeric' });
    formats.set(timeZone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  return [parts['year'], parts['month'], parts['day']].map((part, index) => (part ?? '').padStart(index === 0 ? 4 : 2, '0')).join('-');
};
