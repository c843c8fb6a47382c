import { tableName, type TableDefinition } from '../engine/projection.ts';

export const JOURNAL = { name: 'journal', version: 3 } as const;

const table = (part?: string): string => tableName(JOURNAL.name, JOURNAL.version, part);

export const entryTable = table();
export const callTable = table('call');
export const runningTable = table('running');
export const accountTable = table('account');
export const userTable = table('user');

/**
 * Ids are compared byte by byte, which costs a fraction of what a language's rules cost. Rows of calls are narrow and their indexes few: there
 * are as many of them as there are calls, and each index costs as much as the row.
 */
export const journalTables: readonly TableDefinition[] = [
  {
    // What moves money beside calls: a handful for each lease.
    name: entryTable,
    ddl: [
      `CREATE TABLE ${entryTable} (
         position bigint NOT NULL,
         entry smallint NOT NULL,
         recorded_at timestamptz NOT NULL,
         kind text COLLATE "C" NOT NULL,
         debit text COLLATE "C" NOT NULL,
         credit text COLLATE "C" NOT NULL,
         amount bigint NOT NULL CHECK (amount > 0),
         user_id text COLLATE "C",
         change bigint NOT NULL,
         token_id text COLLATE "C",
         request_id text COLLATE "C",
         lease_id text COLLATE "C",
         model text COLLATE "C",
         note text COLLATE "C" NOT NULL,
         PRIMARY KEY (position, entry)
       )`,
      `CREATE INDEX ${entryTable}_by_user ON ${entryTable} (user_id, position, entry)`,
      `CREATE INDEX ${entryTable}_by_debit ON ${entryTable} (debit, position)`,
      `CREATE INDEX ${entryTable}_by_credit ON ${entryTable} (credit, position)`,
      `CREATE INDEX ${entryTable}_by_request ON ${entryTable} (request_id) WHERE request_id IS NOT NULL`,
    ],
  },
  {
    // A call that has ended: its line in the request log and, when it was charged, the entries of its charge and of its cost.
    name: callTable,
    partitions: { column: 'recorded_at', momentOf: ({ recordedAt }) => recordedAt },
    ddl: [
      `CREATE TABLE ${callTable} (
         position bigint NOT NULL,
         recorded_at timestamptz NOT NULL,
         started_at timestamptz NOT NULL,
         held bigint NOT NULL,
         amount bigint NOT NULL,
         computed bigint NOT NULL,
         upstream_cost bigint NOT NULL,
         input_tokens bigint NOT NULL,
         cached_tokens bigint NOT NULL,
         output_tokens bigint NOT NULL,
         group_ratio integer,
         first_byte_ms integer,
         duration_ms integer,
         status smallint,
         streamed boolean,
         reconcile boolean NOT NULL,
         state text COLLATE "C" NOT NULL,
         request_id text COLLATE "C" NOT NULL,
         user_id text COLLATE "C" NOT NULL,
         token_id text COLLATE "C" NOT NULL,
         lease_id text COLLATE "C" NOT NULL,
         model text COLLATE "C" NOT NULL,
         channel_id text COLLATE "C",
         endpoint text COLLATE "C",
         error_code text COLLATE "C",
         basis text COLLATE "C",
         price_list_id text COLLATE "C",
         release_reason text COLLATE "C",
         -- JSON, which is looked into for a few rows only.
         usage text COLLATE "C",
         attempts text COLLATE "C" NOT NULL,
         -- A position has one time.
         PRIMARY KEY (position, recorded_at)
       ) PARTITION BY RANGE (recorded_at)`,
      `CREATE INDEX ${callTable}_by_user ON ${callTable} (user_id, position)`,
      `CREATE INDEX ${callTable}_by_key ON ${callTable} (token_id, position)`,
      `CREATE INDEX ${callTable}_by_id ON ${callTable} (request_id)`,
      // Calls end nearly in the order in which they began.
      `CREATE INDEX ${callTable}_by_start ON ${callTable} USING brin (started_at) WITH (pages_per_range = 32, autosummarize = on)`,
    ],
  },
  {
    // Set aside, no end yet.
    name: runningTable,
    ddl: [
      `CREATE TABLE ${runningTable} (
         request_id text COLLATE "C" PRIMARY KEY,
         position bigint NOT NULL,
         user_id text COLLATE "C" NOT NULL,
         token_id text COLLATE "C" NOT NULL,
         lease_id text COLLATE "C" NOT NULL,
         model text COLLATE "C" NOT NULL,
         price_list_id text COLLATE "C" NOT NULL,
         held bigint NOT NULL,
         recorded_at timestamptz NOT NULL,
         started_at timestamptz NOT NULL
       )`,
    ],
  },
  {
    // Totals outgrow what one amount may be. An account's lines lie between its two positions.
    name: accountTable,
    ddl: [
      `CREATE TABLE ${accountTable} (account text COLLATE "C" PRIMARY KEY, debits numeric NOT NULL, credits numeric NOT NULL, opened bigint NOT NULL, position bigint NOT NULL) WITH (fillfactor = 50)`,
    ],
  },
  {
    name: userTable,
    ddl: [
      `CREATE TABLE ${userTable} (user_id text COLLATE "C" PRIMARY KEY, balance numeric NOT NULL, position bigint NOT NULL) WITH (fillfactor = 50)`,
    ],
  },
];
