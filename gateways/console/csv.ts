/** What a spreadsheet would take for a formula. Numbers are none, also negative ones. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/** One field: quoted where need be, and harmless where a spreadsheet opens it. */
export const csvField = (value: string | number | null): string => {
  if (value === null) return '';
  const text = String(value);
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export const csvLine = (fields: readonly (string | number | null)[]): string => `${fields.map(csvField).join(',')}\r\n`;

/** Without it a spreadsheet guesses the encoding, and guesses wrong for Chinese. */
export const CSV_START = '\u{feff}';
