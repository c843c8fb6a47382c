import type { Position } from '../../schemas/event-envelope.ts';
import type { Money } from '../../schemas/money.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { accountTable, callTable, entryTable } from './tables.ts';

/** Stands for a value in a statement. */
export type Ask = (value: unknown) => string;

const STORED = `SELECT position, entry, recorded_at, kind, debit, credit, amount, user_id, change, token_id, request_id, lease_id, model, note FROM ${entryTable} AS stored`;

/** Constants have the collation of the columns that they stand for: only parts that agree in it are searched each by its own index. */
const text = (value: string | null): string => `${value === null ? 'NULL' : `'${value}'`}::text COLLATE "C"`;

const CHARGES = `
  SELECT position, 0::smallint, recorded_at, ${text('charge')}, 'held:' || lease_id, 'revenue:' || model, amount, user_id, -amount, token_id, request_id, lease_id, model, ${text('')}
  FROM ${callTable} AS call`;
const COSTS = `
  SELECT position, 1::smallint, recorded_at, ${text('upstream_cost')}, 'cost:' || channel_id, 'payable:' || channel_id, upstream_cost, ${text(null)}, 0::bigint, token_id, request_id, lease_id, model, ${text('')}
  FROM ${callTable} AS call`;

/** As `entriesOf` has it, an amount of nothing makes no entry. Said of all parts at once: a part with a condition of its own is not read in the order of its index. */
const entriesIn = (parts: readonly string[]): string => `(SELECT * FROM (${parts.join(' UNION ALL ')}) AS part WHERE amount > 0)`;

/** Every entry, those of calls made from their rows. */
export const ENTRIES = entriesIn([STORED, CHARGES, COSTS]);

/** An account at one moment: what it comes to, and the first and the last position that moved it. */
export interface AccountSpan {
  readonly account: string;
  readonly balance: Money;
  readonly opened: Position;
  readonly position: Position;
}

export const accountSpan = async (sql: Sql, account: string): Promise<AccountSpan | null> => {
  const { rows } = await sql.query<AccountSpan>(
    `SELECT account, credits - debits AS balance, opened, position FROM ${accountTable} WHERE account = $1`,
    [account],
  );
  return rows[0] ?? null;
};

/** The entries on either side of an account, up to where its span ends. */
export const entriesOn = ({ account, opened, position }: AccountSpan, ask: Ask): string => {
  const parameter = `${ask(account)}::text`;
  const span = `position BETWEEN ${ask(opened)}::bigint AND ${ask(position)}::bigint`;
  const stored = `${STORED} WHERE (debit = ${parameter} OR credit = ${parameter}) AND ${span}`;
  const within = (part: string): string =>
    `(SELECT * FROM ${entriesIn([STORED, part])} AS line WHERE (debit = ${parameter} OR credit = ${parameter}) AND ${span})`;
  const colon = account.indexOf(':');
  switch (account.slice(0, colon)) {
    case 'held':
      // Of the key that the lease was granted to, since calls have no index by lease.
      return entriesIn([
        stored,
        `${CHARGES} WHERE lease_id = ${ask(account.slice(colon + 1))} AND token_id = (SELECT token_id FROM ${entryTable} WHERE credit = ${parameter} AND kind = 'hold' LIMIT 1) AND ${span}`,
      ]);
    case 'revenue':
      return within(CHARGES);
    case 'cost':
    case 'payable':
      return within(COSTS);
    default:
      return `(${stored})`;
  }
};
