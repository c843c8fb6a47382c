import { tableName, type TableDefinition } from '../engine/projection.ts';

export const JOURNAL = { name: 'journal', version: 1 } as const;

export const entryTable = tableName(JOURNAL.name, JOURNAL.version);
export const accountTable = tableName(JOURNAL.name, JOURNAL.version, 'account');
export const userTable = tableName(JOURNAL.name, JOURNAL.version, 'user');

export const journalTables: readonly TableDefinition[] = [
  {
    name: entryTable,
    ddl: [
      `CREATE TABLE ${entryTable} (
         position bigint NOT NULL,
         entry smallint NOT NULL,
         recorded_at timestamptz NOT NULL,
         kind text NOT NULL,
         debit text NOT NULL,
         credit text NOT NULL,
         amount bigint NOT NULL CHECK (amount > 0),
         user_id text,
         change bigint NOT NULL,
         token_id text,
         request_id text,
         lease_id text,
         model text,
         note text NOT NULL,
         PRIMARY KEY (position, entry)
       )`,
      `CREATE INDEX ${entryTable}_by_user ON ${entryTable} (user_id, position, entry) WHERE user_id IS NOT NULL`,
      `CREATE INDEX ${entryTable}_by_debit ON ${entryTable} (debit, position)`,
      `CREATE INDEX ${entryTable}_by_credit ON ${entryTable} (credit, position)`,
      `CREATE INDEX ${entryTable}_by_request ON ${entryTable} (request_id) WHERE request_id IS NOT NULL AND kind <> 'upstream_cost'`,
    ],
  },
  {
    // Totals outgrow what one amount may be.
    name: accountTable,
    ddl: [
      `CREATE TABLE ${accountTable} (account text COLLATE "C" PRIMARY KEY, debits numeric NOT NULL, credits numeric NOT NULL, position bigint NOT NULL)`,
    ],
  },
  {
    name: userTable,
    ddl: [`CREATE TABLE ${userTable} (user_id text PRIMARY KEY, balance numeric NOT NULL, position bigint NOT NULL)`],
  },
];

/** Writes entries given as JSON, and carries the totals of their accounts and users forward. */
export const WRITE_ENTRIES = `
  WITH entry AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS e(position bigint, entry smallint, recorded_at timestamptz, kind text, debit text, credit text, amount bigint,
      user_id text, change bigint, token_id text, request_id text, lease_id text, model text, note text)
  ), written AS (
    INSERT INTO ${entryTable} (position, entry, recorded_at, kind, debit, credit, amount, user_id, change, token_id, request_id, lease_id, model, note)
    SELECT position, entry, recorded_at, kind, debit, credit, amount, user_id, change, token_id, request_id, lease_id, model, note FROM entry
  ), account AS (
    INSERT INTO ${accountTable} AS t (account, debits, credits, position)
    SELECT account, sum(debit), sum(credit), max(position)
    FROM (SELECT debit AS account, amount AS debit, 0::bigint AS credit, position FROM entry UNION ALL SELECT credit, 0, amount, position FROM entry) AS line
    GROUP BY account
    ON CONFLICT (account) DO UPDATE SET debits = t.debits + excluded.debits, credits = t.credits + excluded.credits, position = greatest(t.position, excluded.position)
  )
  INSERT INTO ${userTable} AS t (user_id, balance, position)
  SELECT user_id, sum(change), max(position) FROM entry WHERE user_id IS NOT NULL GROUP BY user_id
  ON CONFLICT (user_id) DO UPDATE SET balance = t.balance + excluded.balance, position = greatest(t.position, excluded.position)`;
