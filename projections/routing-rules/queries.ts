import type { Sql } from '../ports/read-model-database.ts';
import { RoutingRulesDocument, routingRulesTable } from './tables.ts';

/** The rules of routing; `null` where none were ever set. For administrators. */
export const readRoutingRules = async (sql: Sql): Promise<RoutingRulesDocument | null> => {
  const { rows } = await sql.query<{ doc: unknown }>(`SELECT doc FROM ${routingRulesTable} WHERE key = 'routing'`);
  return rows[0] === undefined ? null : RoutingRulesDocument.parse(rows[0].doc);
};
