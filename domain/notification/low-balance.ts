import type { Money } from '../../schemas/money.ts';

/**
 * Whether a balance has just fallen below the threshold. What is below stays quiet until it has been above again, so there is one
 * answer for each crossing, whatever moves the balance in between. A threshold of nothing is never crossed.
 */
export const hasRunLow = (before: Money, after: Money, threshold: Money): boolean => before >= threshold && after < threshold;
