import { accountTable, callTable, entryTable } from './tables.ts';

/** Stands for a value in a statement. */
export type Ask = (value: unknown) => string;

const STORED = `SELECT position, entry, recorded_at, kind, debit, credit, amount, user_id, change, token_id, request_id, lease_id, model, note FROM ${entryTable} AS stored`;

/** As `entriesOf` has it: an amount of nothing makes no entry. */
const CHARGES = `
  SELECT position, 0::smallint, recorded_at, 'charge', 'held:' || lease_id, 'revenue:' || model, amount, user_id, -amount, token_id, request_id, lease_id, model, ''
  FROM ${callTable} AS call WHERE amount > 0`;
const COSTS = `
  SELECT position, 1::smallint, recorded_at, 'upstream_cost', 'cost:' || channel_id, 'payable:' || channel_id, upstream_cost, NULL, 0::bigint, token_id, request_id, lease_id, model, ''
  FROM ${callTable} AS call WHERE upstream_cost > 0`;

/** Every entry, those of calls made from their rows. */
export const ENTRIES = `(${STORED} UNION ALL ${CHARGES} UNION ALL ${COSTS})`;

/** Which rows of calls have entries on an account. */
const callsOn = (account: string, parameter: string, ask: Ask): string | null => {
  const colon = account.indexOf(':');
  const rest = account.slice(colon + 1);
  switch (account.slice(0, colon)) {
    case 'held':
      // Of the key that the lease was granted to, since calls have no index by lease.
      return `${CHARGES} AND lease_id = ${ask(rest)} AND token_id = (SELECT token_id FROM ${entryTable} AS hold WHERE credit = ${parameter} AND kind = 'hold' LIMIT 1)`;
    case 'revenue':
      return `${CHARGES} AND model = ${ask(rest)}`;
    case 'cost':
    case 'payable':
      return `${COSTS} AND channel_id = ${ask(rest)}`;
    default:
      return null;
  }
};

/** The entries on either side of an account. */
export const entriesOn = (account: string, ask: Ask): string => {
  const parameter = ask(account);
  const stored = `${STORED} WHERE debit = ${parameter} OR credit = ${parameter}`;
  const calls = callsOn(account, parameter, ask);
  if (calls === null) return `(${stored})`;
  const bound = (column: string): string => `(SELECT ${column} FROM ${accountTable} AS bounds WHERE account = ${parameter})`;
  return `(${stored} UNION ALL ${calls} AND position BETWEEN ${bound('opened')} AND ${bound('position')})`;
};
