import { existsSync, statSync } from 'node:fs';
import { Unusable } from '../config/unusable.ts';
import type { dataPaths } from './data-directory.ts';

/**
 * Throws where a data directory has what an installation leaves beside its event log, and no event log: a new one would be begun silently in
 * the place of the one that was lost, or that is in PostgreSQL.
 */
export const refuseLostLog = ({ eventLogFile, readModelDirectory, firstRunFile }: ReturnType<typeof dataPaths>): void => {
  // One without a byte is none to SQLite either.
  if (existsSync(eventLogFile) && statSync(eventLogFile).size > 0) return;
  const trace = [readModelDirectory, firstRunFile].find((file) => existsSync(file));
  if (trace === undefined) return;
  throw new Unusable(
    `${eventLogFile}, the event log, is missing or empty, and ${trace} is left of an installation. Put the log back, from a copy if need be; ` +
      'set DATABASE_URL if it is in PostgreSQL; or give a new installation a directory of its own with OBLIVIOUS_HOME.',
  );
};
