import { tableName, type TableDefinition } from '../engine/projection.ts';

export const ACCOUNT_BALANCES = { name: 'account-balances', version: 3 } as const;

const table = (part?: string): string => tableName(ACCOUNT_BALANCES.name, ACCOUNT_BALANCES.version, part);

export const accountTable = table();
export const spendTable = table('spend');
export const capTable = table('cap');
export const leaseTable = table('lease');

export const accountBalanceTables: readonly TableDefinition[] = [
  {
    name: accountTable,
    ddl: [
      `CREATE TABLE ${accountTable} (
         user_id text COLLATE "C" PRIMARY KEY,
         time_zone text,
         opened_at timestamptz,
         wallet numeric NOT NULL,
         held numeric NOT NULL,
         refunded numeric NOT NULL,
         overdrawn numeric NOT NULL,
         position bigint NOT NULL
       ) WITH (fillfactor = 50)`,
    ],
  },
  {
    // By key and by the day that the lease was granted in, in the account's own time zone: the day that caps count.
    name: spendTable,
    ddl: [
      `CREATE TABLE ${spendTable} (
         user_id text COLLATE "C" NOT NULL,
         token_id text COLLATE "C" NOT NULL,
         day date NOT NULL,
         amount numeric NOT NULL,
         calls bigint NOT NULL,
         last_used_at timestamptz NOT NULL,
         position bigint NOT NULL,
         PRIMARY KEY (user_id, token_id, day)
       ) WITH (fillfactor = 50)`,
      `CREATE INDEX ${spendTable}_by_key ON ${spendTable} (token_id)`,
    ],
  },
  {
    name: capTable,
    ddl: [
      `CREATE TABLE ${capTable} (
         user_id text COLLATE "C" NOT NULL,
         -- Empty for what the user spends with all keys together.
         token_id text COLLATE "C" NOT NULL,
         time_window text NOT NULL,
         amount bigint NOT NULL,
         position bigint NOT NULL,
         PRIMARY KEY (user_id, token_id, time_window)
       )`,
    ],
  },
  {
    // Settled leases stay, for the day that belongs to what was spent from them.
    name: leaseTable,
    ddl: [
      `CREATE TABLE ${leaseTable} (
         lease_id text COLLATE "C" PRIMARY KEY,
         user_id text COLLATE "C" NOT NULL,
         token_id text COLLATE "C" NOT NULL,
         day date NOT NULL,
         amount bigint NOT NULL,
         holder text,
         admits_until timestamptz,
         expires_at timestamptz,
         closed boolean NOT NULL,
         settled boolean NOT NULL,
         position bigint NOT NULL
       )`,
      `CREATE INDEX ${leaseTable}_unsettled ON ${leaseTable} (expires_at) WHERE NOT settled`,
    ],
  },
];

export const WRITE_ACCOUNTS = `
  INSERT INTO ${accountTable} AS t (user_id, time_zone, opened_at, wallet, held, refunded, overdrawn, position)
  SELECT user_id, time_zone, opened_at, wallet, held, refunded, overdrawn, position
  FROM jsonb_to_recordset($1::jsonb) AS d(user_id text, time_zone text, opened_at timestamptz, wallet numeric, held numeric, refunded numeric, overdrawn numeric, position bigint)
  ON CONFLICT (user_id) DO UPDATE SET
    time_zone = coalesce(excluded.time_zone, t.time_zone), opened_at = coalesce(excluded.opened_at, t.opened_at),
    wallet = t.wallet + excluded.wallet, held = t.held + excluded.held,
    refunded = t.refunded + excluded.refunded, overdrawn = t.overdrawn + excluded.overdrawn, position = greatest(t.position, excluded.position)`;

export const LIFT_CAPS = `
  DELETE FROM ${capTable} AS t USING jsonb_to_recordset($1::jsonb) AS d(user_id text, token_id text, time_window text)
  WHERE t.user_id = d.user_id AND t.token_id = d.token_id AND t.time_window = d.time_window`;

export const WRITE_CAPS = `
  INSERT INTO ${capTable} (user_id, token_id, time_window, amount, position)
  SELECT user_id, token_id, time_window, amount, position FROM jsonb_to_recordset($1::jsonb) AS d(user_id text, token_id text, time_window text, amount bigint, position bigint)
  ON CONFLICT (user_id, token_id, time_window) DO UPDATE SET amount = excluded.amount, position = excluded.position`;

/** Whatever is not given stays; a lease that has ended stays so. */
export const WRITE_LEASES = `
  WITH d AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS d(lease_id text, user_id text, token_id text, day date, amount bigint, holder text, admits_until timestamptz, expires_at timestamptz, closed boolean, settled boolean, position bigint)
  ), changed AS (
    UPDATE ${leaseTable} AS t SET
      holder = coalesce(d.holder, t.holder), admits_until = coalesce(d.admits_until, t.admits_until), expires_at = greatest(d.expires_at, t.expires_at),
      closed = t.closed OR d.closed, settled = t.settled OR d.settled, position = greatest(t.position, d.position)
    FROM d WHERE t.lease_id = d.lease_id
    RETURNING t.lease_id
  )
  INSERT INTO ${leaseTable} (lease_id, user_id, token_id, day, amount, holder, admits_until, expires_at, closed, settled, position)
  SELECT lease_id, user_id, token_id, day, amount, holder, admits_until, expires_at, closed, settled, position
  FROM d WHERE NOT EXISTS (SELECT FROM changed WHERE changed.lease_id = d.lease_id)`;

/** A charge whose lease was never opened has no day, and fails. */
export const WRITE_SPEND = `
  INSERT INTO ${spendTable} AS t (user_id, token_id, day, amount, calls, last_used_at, position)
  SELECT d.user_id, d.token_id, l.day, sum(d.amount), sum(d.calls), max(d.last_used_at), max(d.position)
  FROM jsonb_to_recordset($1::jsonb) AS d(lease_id text, user_id text, token_id text, amount numeric, calls bigint, last_used_at timestamptz, position bigint)
  LEFT JOIN ${leaseTable} AS l USING (lease_id)
  GROUP BY d.user_id, d.token_id, l.day
  ON CONFLICT (user_id, token_id, day) DO UPDATE SET
    amount = t.amount + excluded.amount, calls = t.calls + excluded.calls, last_used_at = greatest(t.last_used_at, excluded.last_used_at), position = greatest(t.position, excluded.position)`;

/** What is paid back was not spent, on the day on which it had counted. */
export const TAKE_BACK_SPEND = `
  UPDATE ${spendTable} AS t SET amount = t.amount - d.amount, position = greatest(t.position, d.position)
  FROM (
    SELECT user_id, token_id, day, sum(amount) AS amount, max(position) AS position
    FROM jsonb_to_recordset($1::jsonb) AS d(user_id text, token_id text, day date, amount numeric, position bigint)
    GROUP BY user_id, token_id, day
  ) AS d
  WHERE t.user_id = d.user_id AND t.token_id = d.token_id AND t.day = d.day`;
