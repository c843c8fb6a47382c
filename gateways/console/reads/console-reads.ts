import type { ConsoleReads } from '../../ports/console-reads.ts';
import { channelReads } from './channel-reads.ts';
import { ledgerReads } from './ledger-reads.ts';
import { overviewReads } from './overview-reads.ts';
import { peopleReads } from './people-reads.ts';
import { priceReads } from './price-reads.ts';
import type { ReadsDeps } from './reads-deps.ts';
import { requestReads } from './request-reads.ts';

/** What the console shows, out of the read models. */
export const consoleReads = (deps: ReadsDeps): ConsoleReads => ({
  waitFor: (position, timeoutMs) => deps.board.waitFor('all', position, timeoutMs),
  ...overviewReads(deps),
  ...peopleReads(deps),
  ...channelReads(deps),
  ...ledgerReads(deps),
  ...requestReads(deps),
  ...priceReads(deps),
});
