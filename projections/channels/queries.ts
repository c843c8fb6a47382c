import type { ProviderId } from '../../schemas/events/channel.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { ChannelDocument, channelTable } from './tables.ts';

/** All channels that were not removed, by priority and then by age. For administrators. */
export const listChannels = async (
  sql: Sql,
  { provider, model }: { readonly provider?: ProviderId; readonly model?: string } = {},
): Promise<readonly ChannelDocument[]> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${channelTable}
     WHERE NOT (doc->>'removed')::boolean AND ($1::text IS NULL OR doc->'settings'->>'provider' = $1)
       AND ($2::text IS NULL OR EXISTS (SELECT FROM jsonb_array_elements(doc->'settings'->'models') AS mapping WHERE mapping->>'model' = $2))
     ORDER BY (doc->'settings'->>'priority')::int DESC, key`,
    [provider ?? null, model ?? null],
  );
  return rows.map(({ doc }) => ChannelDocument.parse(doc));
};

/** A channel, also one that was removed. For administrators. */
export const channelById = async (sql: Sql, channelId: ChannelId): Promise<ChannelDocument | null> => {
  const { rows } = await sql.query<{ doc: unknown }>(`SELECT doc FROM ${channelTable} WHERE key = $1`, [channelId]);
  return rows[0] === undefined ? null : ChannelDocument.parse(rows[0].doc);
};

/** Which of these models a channel that is on and open to the group maps. */
export const servedModels = async (sql: Sql, group: string, models: readonly string[]): Promise<ReadonlySet<string>> => {
  const { rows } = await sql.query<{ model: string }>(
    `SELECT DISTINCT mapping->>'model' AS model FROM ${channelTable}, jsonb_array_elements(doc->'settings'->'models') AS mapping
     WHERE (doc->>'enabled')::boolean AND (doc->'settings'->'groups' = 'null' OR doc->'settings'->'groups' ? $1) AND mapping->>'model' = ANY($2)`,
    [group, models],
  );
  return new Set(rows.map(({ model }) => model));
};

/** What channels are called, removed ones too. For administrators. */
export const channelNames = async (sql: Sql): Promise<ReadonlyMap<ChannelId, string>> => {
  const { rows } = await sql.query<{ key: ChannelId; name: string }>(`SELECT key, doc->'settings'->>'name' AS name FROM ${channelTable}`);
  return new Map(rows.map(({ key, name }) => [key, name]));
};
