import type { Failpoints } from '../ports/failpoints.ts';

/** Outside crash tests. */
export const NO_FAILPOINTS: Failpoints = { hit: () => undefined };
