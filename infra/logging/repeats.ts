/** What says the same within this time is left out, and counted. */
const SAME_FOR_MS = 10_000;

/** More different lines than this at once are not told apart: all are written. */
const MOST_KEPT = 1_000;

interface Told {
  readonly at: number;
  leftOut: number;
}

const keyOf = (level: string, message: string, fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify([level, message, fields], (_name, value: unknown) => {
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    return typeof value === 'bigint' ? value.toString() : value;
  });

/**
 * Tells what is worth writing of warnings and errors: something that stays broken is tried again many times a second, each time with the same words. Answers
 * how many lines like this one were left out since the last that was written, or `null` for one to leave out.
 */
export const repeats = (
  now: () => number = () => performance.now(),
): ((level: string, message: string, fields: Readonly<Record<string, unknown>>) => number | null) => {
  const told = new Map<string, Told>();
  return (level, message, fields) => {
    const key = keyOf(level, message, fields);
    const last = told.get(key);
    const at = now();
    if (last !== undefined && at - last.at < SAME_FOR_MS) {
      last.leftOut++;
      return null;
    }
    if (told.size >= MOST_KEPT) told.clear();
    told.set(key, { at, leftOut: 0 });
    return last?.leftOut ?? 0;
  };
};
