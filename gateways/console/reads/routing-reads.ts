import { readRoutingRules } from '../../../projections/routing-rules/queries.ts';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import type { ReadsDeps } from './reads-deps.ts';

export const routingReads = ({ sql }: ReadsDeps): Pick<ConsoleReads, 'routingRules'> => ({
  routingRules: async () => (await readRoutingRules(sql)) ?? { rules: [], changedAt: null },
});
