import { parseDollars, toDollarsField } from '../lib/money.ts';

export type CapWindow = 'day' | 'month' | 'total';
/** What stands in the three fields: dollars as typed, empty for no cap. */
export type CapsDraft = Record<CapWindow, string>;
export type CapAmounts = Readonly<Record<CapWindow, string | null>>;

export const NO_CAPS: CapAmounts = { day: null, month: null, total: null };

export const draftCaps = (caps: CapAmounts): CapsDraft => ({
  day: caps.day === null ? '' : toDollarsField(caps.day),
  month: caps.month === null ? '' : toDollarsField(caps.month),
  total: caps.total === null ? '' : toDollarsField(caps.total),
});

/** The amounts, or which fields hold no amount. */
export const readCaps = (draft: CapsDraft): { readonly caps: CapAmounts; readonly wrong: readonly CapWindow[] } => {
  const windows = ['day', 'month', 'total'] as const;
  const read = windows.map((window) => [window, draft[window].trim() === '' ? null : parseDollars(draft[window])] as const);
  const wrong = read.filter(([window, amount]) => amount === null && draft[window].trim() !== '').map(([window]) => window);
  return { caps: Object.fromEntries(read) as CapAmounts, wrong };
};

/** What differs between two sets of caps; `null` when nothing does. */
export const changedCaps = (before: CapAmounts, after: CapAmounts): Partial<CapAmounts> | null => {
  const changed = (['day', 'month', 'total'] as const).filter((window) => before[window] !== after[window]);
  return changed.length === 0 ? null : Object.fromEntries(changed.map((window) => [window, after[window]]));
};
