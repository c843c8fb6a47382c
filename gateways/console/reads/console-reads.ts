import type { ConsoleReads } from '../../ports/console-reads.ts';
import { channelReads } from './channel-reads.ts';
import { exportReads } from './export-reads.ts';
import { keyReads } from './key-reads.ts';
import { ledgerReads } from './ledger-reads.ts';
import { notificationReads } from './notification-reads.ts';
import { overviewReads } from './overview-reads.ts';
import { priceReads } from './price-reads.ts';
import type { ReadsDeps } from './reads-deps.ts';
import { requestReads } from './request-reads.ts';
import { routingReads } from './routing-reads.ts';
import { taskReads } from './task-reads.ts';
import { userReads } from './user-reads.ts';

/** Everything that the console shows, from the read models. Every read is one query after another, so that one connection does. */
export const consoleReads = (deps: ReadsDeps): ConsoleReads => ({
  waitFor: (position, timeoutMs) => deps.board.waitFor('all', position, timeoutMs),
  ...overviewReads(deps),
  ...keyReads(deps),
  ...channelReads(deps),
  ...routingReads(deps),
  ...userReads(deps),
  ...ledgerReads(deps),
  ...requestReads(deps),
  ...priceReads(deps),
  ...notificationReads(deps),
  ...exportReads(deps),
  ...taskReads(deps),
});
