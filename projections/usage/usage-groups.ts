import { OUTPUT_CLASSES, PROMPT_CLASSES } from '../../domain/pricing/rates.ts';
import type { ChannelId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { USAGE_CLASSES, type UsageClass } from '../../schemas/usage.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { usageColumn } from './usage-columns.ts';

/** Figures of a group of calls. Refunds are not taken off: this is what was used, not what was paid in the end. */
export interface UsageFigures {
  readonly calls: number;
  readonly failed: number;
  readonly amount: Money;
  readonly upstreamCost: Money;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** Mean time to the first byte, in milliseconds; `null` when no call had one. */
  readonly meanFirstByteMs: number | null;
  /** By class, those that are zero left out. */
  readonly usage: Readonly<Partial<Record<UsageClass, number>>>;
}

export interface UsageFilter {
  /** Whose calls; `'all'` is for administrators. */
  readonly userId: UserId | 'all';
  readonly tokenId?: TokenId;
  readonly model?: string;
  readonly channelId?: ChannelId;
}

export type UsageGrouping = 'model' | 'key' | 'channel' | 'user' | 'none';

export interface UsageGroup extends UsageFigures {
  /** Beginning of the bucket; `null` when everything was asked for at once. */
  readonly bucket: string | null;
  /** Of what was grouped by; `null` for `none`. */
  readonly name: string | null;
}

const GROUP_COLUMN: Readonly<Record<Exclude<UsageGrouping, 'none'>, string>> = {
  model: 'model',
  key: 'token_id',
  channel: 'channel_id',
  user: 'user_id',
};

const sumOf = (classes: readonly UsageClass[]): string => `sum(${classes.map(usageColumn).join(' + ')})::float8`;

interface GroupRow extends Omit<UsageGroup, 'usage' | 'meanFirstByteMs'> {
  readonly firstByteMs: number;
  readonly firstBytes: number;
  readonly classes: readonly number[];
}

/**
 * Sums over a table of usage, by bucket of time and by name, in the order of buckets and then of what was spent most. The
 * range is half-open, in the type of the table's own bucket column, and takes in every bucket that it touches.
 */
export const usageGroups = async (
  sql: Sql,
  table: {
    readonly name: string;
    readonly bucket: 'hour' | 'day';
    readonly type: 'timestamptz' | 'date';
    /** What is said of a bucket, when that is not its own beginning. */ readonly shown?: string;
  },
  filter: UsageFilter,
  range: { readonly from: string; readonly to: string },
  by: {
    readonly buckets: boolean;
    readonly name: UsageGrouping;
    /** Keeps these names apart and puts all others together under `null`. */ readonly only?: readonly string[] | undefined;
  },
): Promise<readonly UsageGroup[]> => {
  const column = by.name === 'none' ? 'NULL::text' : GROUP_COLUMN[by.name];
  const name = by.only === undefined ? column : `CASE WHEN ${column} = ANY($7::text[]) THEN ${column} END`;
  const bucket = by.buckets ? (table.shown ?? table.bucket) : `NULL::${table.type}`;
  const { rows } = await sql.query<GroupRow>(
    `SELECT ${bucket} AS bucket, ${name} AS name, sum(calls)::float8 AS calls, sum(failed)::float8 AS failed, sum(amount) AS amount, sum(upstream_cost) AS "upstreamCost",
            ${sumOf(PROMPT_CLASSES)} AS "inputTokens", ${sumOf(['cachedInput'])} AS "cachedTokens", ${sumOf(OUTPUT_CLASSES)} AS "outputTokens",
            sum(first_byte_ms)::float8 AS "firstByteMs", sum(first_bytes)::float8 AS "firstBytes",
            ARRAY[${USAGE_CLASSES.map((usageClass) => sumOf([usageClass])).join(', ')}] AS classes
     FROM ${table.name}
     WHERE ($1 = 'all' OR user_id = $1) AND ($2::text IS NULL OR token_id = $2) AND ($3::text IS NULL OR model = $3) AND ($4::text IS NULL OR channel_id = $4)
       AND ${table.bucket} > $5::${table.type} - interval '1 ${table.bucket}' AND ${table.bucket} < $6::${table.type}
     GROUP BY 1, 2 ORDER BY 1, amount DESC, 2`,
    [
      filter.userId,
      filter.tokenId ?? null,
      filter.model ?? null,
      filter.channelId ?? null,
      range.from,
      range.to,
      ...(by.only === undefined ? [] : [by.only]),
    ],
  );
  return rows.map(({ firstByteMs, firstBytes, classes, ...figures }) => ({
    ...figures,
    meanFirstByteMs: firstBytes === 0 ? null : firstByteMs / firstBytes,
    usage: Object.fromEntries(
      USAGE_CLASSES.map((usageClass, index) => [usageClass, classes[index] ?? 0] as const).filter(([, quantity]) => quantity > 0),
    ),
  }));
};
