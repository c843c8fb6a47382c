import type { EntryKind } from '../../domain/ledger/journal.ts';
import { START, type Position } from '../../schemas/event-envelope.ts';
import type { LeaseId, RequestId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Instant } from '../../schemas/time.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { ENGINE_SCHEMA } from '../engine/engine-schema.ts';
import { accountSpan, ENTRIES, entriesOn, type Ask } from './entry-source.ts';
import { accountTable, entryTable, JOURNAL, userTable } from './tables.ts';

/** Where an entry stands: an event may make more than one. */
export interface EntryPlace {
  readonly position: Position;
  readonly entry: number;
}

export interface JournalRow extends EntryPlace {
  readonly recordedAt: Instant;
  readonly kind: EntryKind;
  readonly debit: string;
  readonly credit: string;
  readonly amount: Money;
  readonly userId: UserId | null;
  /** What the entry does to its user's balance, wallet and holds together. */
  readonly change: Money;
  /** The user's balance after it; `null` on entries of no user. */
  readonly balance: Money | null;
  readonly tokenId: TokenId | null;
  readonly requestId: RequestId | null;
  readonly leaseId: LeaseId | null;
  readonly model: string | null;
  readonly note: string;
}

export interface JournalFilter {
  /** Whose entries; `'all'` is for administrators. */
  readonly userId: UserId | 'all';
  /** `statement` leaves out what changes no balance: holds and their return, upstream cost. */
  readonly view: 'statement' | 'entries';
  readonly kind?: EntryKind;
  /** Entries on either side of this account. */
  readonly account?: string;
  readonly requestId?: RequestId;
  /** Half-open: from ≤ recorded < to. */
  readonly from?: Instant;
  readonly to?: Instant;
  /** Keyset paging: entries older than this one. */
  readonly before?: EntryPlace;
  readonly limit: number;
}

const COLUMNS = `position, entry, recorded_at AS "recordedAt", kind, debit, credit, amount, user_id AS "userId", change, token_id AS "tokenId", request_id AS "requestId", lease_id AS "leaseId", model, note`;

/** What is asked for with the parameters that stand for it, numbered from 1. What was not asked for is left out, so that the rest can use its index. */
class Conditions {
  readonly values: unknown[] = [];
  readonly #conditions: string[] = [];

  readonly parameter: Ask = (value) => `$${this.values.push(value)}`;

  add(condition: string): void {
    this.#conditions.push(condition);
  }

  /** Older than an entry. */
  before(place: EntryPlace | undefined): void {
    if (place === undefined) return;
    const position = this.parameter(place.position);
    this.add(`position <= ${position}::bigint AND (position, entry) < (${position}::bigint, ${this.parameter(place.entry)}::smallint)`);
  }

  get text(): string {
    return this.#conditions.length === 0 ? 'true' : this.#conditions.join(' AND ');
  }
}

/** Entries, newest first, each with its user's balance after it. */
export const journalEntries = async (
  sql: Sql,
  { userId, view, kind, account, requestId, from, to, before, limit }: JournalFilter,
): Promise<readonly JournalRow[]> => {
  const span = account === undefined ? undefined : await accountSpan(sql, account);
  if (span === null) return [];
  const where = new Conditions();
  const source = span === undefined ? ENTRIES : entriesOn(span, where.parameter);
  const owner = userId === 'all' ? undefined : `user_id = ${where.parameter(userId)}`;
  if (owner !== undefined) where.add(owner);
  if (view === 'statement') where.add(`kind NOT IN ('hold', 'hold_returned', 'upstream_cost')`);
  if (kind !== undefined) where.add(`kind = ${where.parameter(kind)}`);
  if (requestId !== undefined) where.add(`request_id = ${where.parameter(requestId)}`);
  if (from !== undefined) where.add(`recorded_at >= ${where.parameter(from)}::timestamptz`);
  if (to !== undefined) where.add(`recorded_at < ${where.parameter(to)}::timestamptz`);
  where.before(before);
  const { rows } = await sql.query<JournalRow>(
    `WITH page AS (
       SELECT * FROM ${source} AS e WHERE ${where.text} ORDER BY position DESC, entry DESC LIMIT ${where.parameter(limit)}
     ), running AS (
       SELECT e.position, e.entry,
              u.balance - coalesce(sum(e.change) OVER (PARTITION BY e.user_id ORDER BY e.position DESC, e.entry DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS balance
       FROM ${ENTRIES} AS e JOIN ${userTable} AS u USING (user_id)
       WHERE e.user_id IS NOT NULL AND ${owner ?? 'user_id IN (SELECT user_id FROM page)'} AND e.position >= (SELECT min(position) FROM page)
     )
     SELECT ${COLUMNS}, balance FROM page LEFT JOIN running USING (position, entry) ORDER BY position DESC, entry DESC`,
    where.values,
  );
  return rows;
};

export interface StatementLine extends EntryPlace {
  readonly recordedAt: Instant;
  readonly kind: EntryKind;
  /** The account at the other end. */
  readonly counterpart: string;
  readonly debit: Money;
  readonly credit: Money;
  /** Credits less debits, this line included. */
  readonly balance: Money;
  readonly requestId: RequestId | null;
  readonly note: string;
}

/** Accounts of which everything that moves them belongs to one user, so that the user may see the balance. */
const OF_ONE_USER = /^(wallet|held|overdraft):/;

/** One account's movements, newest first, with its running balance. A user sees only accounts that are wholly the user's own. */
export const accountStatement = async (
  sql: Sql,
  {
    userId,
    account,
    before,
    limit,
  }: { readonly userId: UserId | 'all'; readonly account: string; readonly before?: EntryPlace; readonly limit: number },
): Promise<readonly StatementLine[]> => {
  if (userId !== 'all' && !OF_ONE_USER.test(account)) return [];
  const span = await accountSpan(sql, account);
  if (span === null) return [];
  const where = new Conditions();
  const source = entriesOn(span, where.parameter);
  const asked = `${where.parameter(account)}::text`;
  if (userId !== 'all') where.add(`user_id = ${where.parameter(userId)}`);
  where.before(before);
  const { rows } = await sql.query<StatementLine>(
    `WITH page AS (
       SELECT * FROM ${source} AS e WHERE ${where.text} ORDER BY position DESC, entry DESC LIMIT ${where.parameter(limit)}
     ), running AS (
       SELECT e.position, e.entry,
              ${where.parameter(span.balance)}::numeric
                - coalesce(sum(CASE WHEN credit = ${asked} THEN amount ELSE -amount END) OVER (ORDER BY e.position DESC, e.entry DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS balance
       FROM ${source} AS e
       WHERE e.position >= (SELECT min(position) FROM page)
     )
     SELECT position, entry, recorded_at AS "recordedAt", kind, CASE WHEN credit = ${asked} THEN page.debit ELSE page.credit END AS counterpart,
            CASE WHEN page.debit = ${asked} THEN amount ELSE 0 END AS debit, CASE WHEN page.credit = ${asked} THEN amount ELSE 0 END AS credit, balance, request_id AS "requestId", note
     FROM page JOIN running USING (position, entry) ORDER BY position DESC, entry DESC`,
    where.values,
  );
  return rows;
};

/** What happened to a call's charge afterwards, on its payer's account: an overdraft, refunds. Oldest first. */
export const aftermathOf = async (
  sql: Sql,
  userId: UserId | 'all',
  requestId: RequestId,
): Promise<readonly (Pick<JournalRow, 'position' | 'recordedAt'> & { readonly kind: 'overdrawn' | 'refund' })[]> => {
  const { rows } = await sql.query<Pick<JournalRow, 'position' | 'recordedAt'> & { readonly kind: 'overdrawn' | 'refund' }>(
    `SELECT position, recorded_at AS "recordedAt", kind FROM ${entryTable}
     WHERE request_id = $1 AND kind IN ('overdrawn', 'refund') AND ($2 = 'all' OR user_id = $2) ORDER BY position`,
    [requestId, userId],
  );
  return rows;
};

export interface AccountTotals {
  readonly account: string;
  readonly debits: Money;
  readonly credits: Money;
  /** Credits less debits. */
  readonly balance: Money;
}

/** Accounts by name. A user's own are the wallet, the overdraft, and what the user's leases hold. */
export const ledgerAccounts = async (
  sql: Sql,
  {
    userId,
    prefix,
    after,
    limit,
  }: { readonly userId: UserId | 'all'; readonly prefix?: string; readonly after?: string; readonly limit: number },
): Promise<readonly AccountTotals[]> => {
  const { rows } = await sql.query<AccountTotals>(
    `SELECT account, debits, credits, credits - debits AS balance FROM ${accountTable}
     WHERE ($1 = 'all' OR account IN ('wallet:' || $1, 'overdraft:' || $1) OR account IN (SELECT credit FROM ${entryTable} WHERE user_id = $1 AND kind = 'hold'))
       AND ($2::text IS NULL OR starts_with(account, $2)) AND ($3::text IS NULL OR account > $3)
     ORDER BY account LIMIT $4`,
    [userId, prefix ?? null, after ?? null, limit],
  );
  return rows;
};

export interface TrialBalance {
  /** Everything up to here is counted, and nothing after it. */
  readonly position: Position;
  readonly groups: readonly { readonly group: string; readonly accounts: number; readonly debits: Money; readonly credits: Money }[];
  readonly debits: Money;
  readonly credits: Money;
  /** Nothing, or the ledger is broken. */
  readonly difference: Money;
}

/** The totals of all accounts of the installation, by kind of account. For administrators. */
export const trialBalance = async (sql: Sql): Promise<TrialBalance> => {
  // One statement, so that the totals are those of the checkpoint.
  const { rows } = await sql.query<{ position: Position; group: string | null; accounts: bigint; debits: Money; credits: Money }>(
    `SELECT checkpoint.position, split_part(account, ':', 1) AS "group", count(account) AS accounts, coalesce(sum(debits), 0) AS debits, coalesce(sum(credits), 0) AS credits
     FROM ${ENGINE_SCHEMA}.checkpoint LEFT JOIN ${accountTable} ON true
     WHERE projection = $1 AND version = $2 AND build = 'live' GROUP BY 1, 2 ORDER BY 2`,
    [JOURNAL.name, JOURNAL.version],
  );
  const debits = rows.reduce((total, row) => total + row.debits, 0n) as Money;
  const credits = rows.reduce((total, row) => total + row.credits, 0n) as Money;
  const groups = rows.flatMap(({ group, accounts, debits: debit, credits: credit }) =>
    group === null ? [] : [{ group, accounts: Number(accounts), debits: debit, credits: credit }],
  );
  return { position: rows[0]?.position ?? START, groups, debits, credits, difference: (credits - debits) as Money };
};

/** Accounts whose totals are not the sum of their entries. There are none, unless rows were changed by hand. Reads the whole journal. */
export const accountsOffTheirEntries = async (sql: Sql): Promise<readonly string[]> => {
  const { rows } = await sql.query<{ account: string }>(
    `SELECT coalesce(t.account, s.account) AS account
     FROM ${accountTable} AS t
     FULL JOIN (
       SELECT account, sum(debit) AS debits, sum(credit) AS credits
       FROM (SELECT side.account, side.debit, side.credit FROM ${ENTRIES} AS e CROSS JOIN LATERAL (VALUES (e.debit, amount, 0), (e.credit, 0, amount)) AS side(account, debit, credit)) AS line
       GROUP BY account
     ) AS s USING (account)
     WHERE t.debits IS DISTINCT FROM s.debits OR t.credits IS DISTINCT FROM s.credits
     ORDER BY 1`,
  );
  return rows.map(({ account }) => account);
};
