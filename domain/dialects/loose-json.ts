/** What an upstream sends is looked at as the unknown thing it is. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A text, or none. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
