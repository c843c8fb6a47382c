import { accountBalances } from './account-balances/projection.ts';
import { batches } from './batches/projection.ts';
import { channels } from './channels/projection.ts';
import type { Projection } from './engine/projection.ts';
import { exports } from './exports/projection.ts';
import { files } from './files/projection.ts';
import { journal } from './journal/projection.ts';
import { notifications } from './notifications/projection.ts';
import { priceLists } from './price-lists/projection.ts';
import { routingRules } from './routing-rules/projection.ts';
import { tasks } from './tasks/projection.ts';
import { tokenLookup } from './token-lookup/projection.ts';
import { usageDaily } from './usage-daily/projection.ts';
import { usageHourly } from './usage-hourly/projection.ts';
import { users } from './users/projection.ts';
import { vectorFiles } from './vector-files/projection.ts';
import { vectorStores } from './vector-stores/projection.ts';

/**
 * Every projection there is, and what it follows. Money, authentication and what people wait for follow the log itself. `kafka`: the topic of
 * events, where Kafka is configured; the rows of such a projection are sums over streams that know nothing of each other, since every
 * partition goes on by itself.
 */
const REGISTRY: readonly { readonly projection: Projection; readonly follows: 'log' | 'kafka' }[] = [
  { projection: tokenLookup, follows: 'log' },
  { projection: users, follows: 'log' },
  { projection: channels, follows: 'log' },
  { projection: priceLists, follows: 'log' },
  { projection: routingRules, follows: 'log' },
  { projection: accountBalances, follows: 'log' },
  { projection: journal, follows: 'log' },
  { projection: usageHourly, follows: 'kafka' },
  { projection: usageDaily, follows: 'kafka' },
  { projection: notifications, follows: 'log' },
  { projection: exports, follows: 'log' },
  { projection: files, follows: 'log' },
  { projection: batches, follows: 'log' },
  { projection: tasks, follows: 'log' },
  { projection: vectorStores, follows: 'log' },
  { projection: vectorFiles, follows: 'log' },
];

export const projections: readonly Projection[] = REGISTRY.map(({ projection }) => projection);

/** What follows the log and what follows Kafka, in an installation with or without it. */
export const projectionsBySource = (hasKafka: boolean): { readonly log: readonly Projection[]; readonly kafka: readonly Projection[] } => {
  const of = (source: 'log' | 'kafka'): readonly Projection[] =>
    REGISTRY.filter(({ follows }) => (hasKafka ? follows : 'log') === source).map(({ projection }) => projection);
  return { log: of('log'), kafka: of('kafka') };
};
