import { accountBalances } from './account-balances/projection.ts';
import { channels } from './channels/projection.ts';
import type { Projection } from './engine/projection.ts';
import { exports } from './exports/projection.ts';
import { journal } from './journal/projection.ts';
import { notifications } from './notifications/projection.ts';
import { priceLists } from './price-lists/projection.ts';
import { tokenLookup } from './token-lookup/projection.ts';
import { usageDaily } from './usage-daily/projection.ts';
import { usageHourly } from './usage-hourly/projection.ts';
import { users } from './users/projection.ts';

/** Every projection there is. */
export const projections: readonly Projection[] = [
  tokenLookup,
  users,
  channels,
  priceLists,
  accountBalances,
  journal,
  usageHourly,
  usageDaily,
  notifications,
  exports,
];
