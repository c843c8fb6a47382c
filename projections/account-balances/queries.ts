import { dayOf, monthOf } from '../../domain/ledger/time-window.ts';
import type { CapWindow } from '../../schemas/events/account.ts';
import type { LeaseId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Day, Instant } from '../../schemas/time.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { accountTable, capTable, leaseTable, spendTable } from './tables.ts';

/** What may be spent in each window; `null` is no cap. */
export type Caps = Readonly<Record<CapWindow, Money | null>>;

export const NO_CAPS: Caps = { day: null, month: null, total: null };

/** What was spent, gross of refunds, in the windows that a moment lies in. */
export interface Spent {
  readonly today: Money;
  readonly thisMonth: Money;
  readonly total: Money;
}

const NOTHING_SPENT: Spent = { today: 0n as Money, thisMonth: 0n as Money, total: 0n as Money };

export interface AccountBalance {
  readonly userId: UserId;
  readonly timeZone: string;
  /** What may be put into leases. */
  readonly wallet: Money;
  /** What open leases have set aside and not spent. */
  readonly held: Money;
  /** Wallet and holds together: what the user owns. */
  readonly balance: Money;
  readonly refunded: Money;
  /** What calls cost beyond their holds, which no wallet paid. */
  readonly overdrawn: Money;
  readonly spent: Spent;
  readonly caps: Caps;
}

type AccountRow = Pick<AccountBalance, 'userId' | 'timeZone' | 'wallet' | 'held' | 'refunded' | 'overdrawn'>;

/** A row of windows that were asked for: a user or a key, and its own today. */
interface SpentRow {
  readonly owner: string;
  readonly today: Money;
  readonly thisMonth: Money;
  readonly total: Money;
}

interface CapRow {
  readonly owner: string;
  readonly window: CapWindow;
  readonly amount: Money;
}

const capsOf = (rows: readonly CapRow[], owner: string): Caps =>
  rows.filter((row) => row.owner === owner).reduce<Caps>((caps, { window, amount }) => ({ ...caps, [window]: amount }), NO_CAPS);

const monthStart = (day: Day): Day => `${monthOf(day)}-01`;

const SPENT = (owner: 'user_id' | 'token_id'): string => `
  SELECT asked.owner, coalesce(sum(amount) FILTER (WHERE day = asked.today), 0) AS today, coalesce(sum(amount) FILTER (WHERE day >= asked.month AND day <= asked.today), 0) AS "thisMonth", coalesce(sum(amount), 0) AS total
  FROM unnest($1::text[], $2::date[], $3::date[]) AS asked(owner, today, month) JOIN ${spendTable} AS s ON s.${owner} = asked.owner
  GROUP BY asked.owner`;

/**
 * The accounts of these users; `'all'` is for administrators. Today and this month are those of each account's own time
 * zone, at a moment in milliseconds since the Unix epoch.
 */
export const accountBalances = async (sql: Sql, userIds: readonly UserId[] | 'all', now: number): Promise<readonly AccountBalance[]> => {
  const { rows: accounts } = await sql.query<AccountRow>(
    `SELECT user_id AS "userId", coalesce(time_zone, 'UTC') AS "timeZone", wallet, held, refunded, overdrawn FROM ${accountTable}
     WHERE $1::text[] IS NULL OR user_id = ANY($1) ORDER BY user_id`,
    [userIds === 'all' ? null : userIds],
  );
  if (accounts.length === 0) return [];
  const owners = accounts.map(({ userId }) => userId);
  const days = accounts.map(({ timeZone }) => dayOf(now, timeZone));
  const { rows: spends } = await sql.query<SpentRow>(SPENT('user_id'), [owners, days, days.map(monthStart)]);
  const { rows: caps } = await sql.query<CapRow>(
    `SELECT user_id AS owner, time_window AS "window", amount FROM ${capTable} WHERE token_id = '' AND user_id = ANY($1)`,
    [owners],
  );
  return accounts.map((account) => {
    const { owner: _owner, ...spent } = spends.find(({ owner }) => owner === account.userId) ?? { owner: account.userId, ...NOTHING_SPENT };
    return {
      ...account,
      balance: (account.wallet + account.held) as Money,
      spent,
      caps: capsOf(caps, account.userId),
    };
  });
};

/** One user's account; `null` when none was opened. */
export const accountBalance = async (sql: Sql, userId: UserId, now: number): Promise<AccountBalance | null> =>
  (await accountBalances(sql, [userId], now))[0] ?? null;

/** What one account, or all of them together, has and holds. */
export const fundsOf = async (sql: Sql, userId: UserId | 'all'): Promise<{ readonly balance: Money; readonly held: Money }> => {
  const { rows } = await sql.query<{ balance: Money; held: Money }>(
    `SELECT coalesce(sum(wallet + held), 0) AS balance, coalesce(sum(held), 0) AS held FROM ${accountTable} WHERE $1 = 'all' OR user_id = $1`,
    [userId],
  );
  return rows[0] ?? { balance: 0n as Money, held: 0n as Money };
};

export interface KeySpend {
  readonly tokenId: TokenId;
  readonly spent: Spent;
  readonly caps: Caps;
  /** When the last charged call began; `null` when there was none. */
  readonly lastUsedAt: Instant | null;
}

/** What these keys have spent and may spend; one entry for each that is given and, unless `'all'`, belongs to the user. */
export const keySpends = async (
  sql: Sql,
  userId: UserId | 'all',
  keys: readonly { readonly tokenId: TokenId; readonly userId: UserId }[],
  now: number,
): Promise<readonly KeySpend[]> => {
  const own = keys.filter((key) => userId === 'all' || key.userId === userId);
  if (own.length === 0) return [];
  const tokenIds = own.map(({ tokenId }) => tokenId);
  const { rows: zones } = await sql.query<{ userId: UserId; timeZone: string }>(
    `SELECT user_id AS "userId", coalesce(time_zone, 'UTC') AS "timeZone" FROM ${accountTable} WHERE user_id = ANY($1)`,
    [own.map((key) => key.userId)],
  );
  const days = own.map((key) => dayOf(now, zones.find((zone) => zone.userId === key.userId)?.timeZone ?? 'UTC'));
  const { rows: spends } = await sql.query<SpentRow>(SPENT('token_id'), [tokenIds, days, days.map(monthStart)]);
  const { rows: used } = await sql.query<{ owner: string; lastUsedAt: Instant }>(
    `SELECT token_id AS owner, max(last_used_at) AS "lastUsedAt" FROM ${spendTable} WHERE token_id = ANY($1) GROUP BY 1`,
    [tokenIds],
  );
  const { rows: caps } = await sql.query<CapRow>(
    `SELECT token_id AS owner, time_window AS "window", amount FROM ${capTable} WHERE token_id = ANY($1)`,
    [tokenIds],
  );
  return tokenIds.map((tokenId) => {
    const { owner: _owner, ...spent } = spends.find(({ owner }) => owner === tokenId) ?? { owner: tokenId, ...NOTHING_SPENT };
    return { tokenId, spent, caps: capsOf(caps, tokenId), lastUsedAt: used.find(({ owner }) => owner === tokenId)?.lastUsedAt ?? null };
  });
};

export interface UnsettledLease {
  readonly leaseId: LeaseId;
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly holder: string | null;
  readonly amount: Money;
  readonly day: Day;
  /** Its holder has ended it, and the account does not know yet. */
  readonly closed: boolean;
  /** When a silent holder may be taken for dead, in milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** Leases that no settlement has been seen of, those that expire first first. For the sweeper, which asks the log before it acts. */
export const unsettledLeases = async (sql: Sql): Promise<readonly UnsettledLease[]> => {
  const { rows } = await sql.query<Omit<UnsettledLease, 'expiresAt'> & { readonly expiresAt: Instant | null }>(
    `SELECT lease_id AS "leaseId", user_id AS "userId", token_id AS "tokenId", holder, amount, day, closed, expires_at AS "expiresAt"
     FROM ${leaseTable} WHERE NOT settled ORDER BY expires_at NULLS FIRST, lease_id`,
  );
  return rows.map((row) => ({ ...row, expiresAt: row.expiresAt === null ? 0 : Date.parse(row.expiresAt) }));
};
