import { USAGE_CLASSES, type UsageClass } from '../../schemas/usage.ts';

/** `cacheWrite5m` is `cache_write5m` in a table. */
export const usageColumn = (usageClass: UsageClass): string => usageClass.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What is added up for every group of calls, beside the quantities of each class. */
const COUNTS = ['calls', 'failed', 'first_byte_ms', 'first_bytes', 'duration_ms'] as const;
const SUMS_OF_MONEY = ['amount', 'upstream_cost'] as const;

export const FIGURES: readonly string[] = [...COUNTS, ...SUMS_OF_MONEY, ...USAGE_CLASSES.map(usageColumn)];

const isMoney = (figure: string): boolean => (SUMS_OF_MONEY as readonly string[]).includes(figure);

/** Column definitions of the figures. */
export const FIGURE_DDL: string = FIGURES.map((figure) => `${figure} ${isMoney(figure) ? 'numeric' : 'bigint'} NOT NULL`).join(', ');

export const FIGURE_NAMES: string = FIGURES.join(', ');

/** The figures of `alias`, whose sums of money are text, as they are kept. */
export const keptFigures = (alias: string): string =>
  FIGURES.map((figure) => `${alias}.${figure}${isMoney(figure) ? '::numeric' : ''}`).join(', ');

/** Sums of the same, under their own names. */
export const summedFigures = (alias: string): string =>
  FIGURES.map(
    (figure) => `sum(${alias}.${figure}${isMoney(figure) ? '::numeric' : ''})${isMoney(figure) ? '' : '::bigint'} AS ${figure}`,
  ).join(', ');

/** Adds the figures of the row that is already there. */
export const ADD_FIGURES: string = FIGURES.map((figure) => `${figure} = t.${figure} + excluded.${figure}`).join(', ');
