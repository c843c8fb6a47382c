import { jsonParameter } from '../../projections/engine/json-parameter.ts';
import type { AttributeFilter } from '../../schemas/openai/vector-search-request.ts';

const COMPARED = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/**
 * A filter as a condition over a column of attributes, true or false and never unknown. Everything that a client said is a parameter, added
 * to `values`. What a file does not have is equal to nothing, and no larger or smaller than anything.
 */
export const filterSql = (filter: AttributeFilter, column: string, values: unknown[]): string => {
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  switch (filter.type) {
    case 'and':
    case 'or':
      return `(${filter.filters.map((each) => filterSql(each, column, values)).join(` ${filter.type.toUpperCase()} `)})`;
    case 'eq':
    case 'ne': {
      const same = `${column} -> ${parameter(filter.key)}::text IS NOT DISTINCT FROM ${parameter(jsonParameter(filter.value))}::jsonb`;
      return filter.type === 'eq' ? `(${same})` : `(NOT (${same}))`;
    }
    case 'in':
    case 'nin': {
      const among = `${column} -> ${parameter(filter.key)}::text = ANY (${parameter(filter.value.map((each) => jsonParameter(each)))}::text[]::jsonb[])`;
      return filter.type === 'in' ? `coalesce(${among}, false)` : `(NOT coalesce(${among}, false))`;
    }
    default: {
      const key = `${parameter(filter.key)}::text`;
      const isText = typeof filter.value === 'string';
      const [kind, own, other] = isText
        ? ['string', `(${column} ->> ${key}) COLLATE "C"`, `${parameter(filter.value)}::text`]
        : ['number', `(${column} ->> ${key})::numeric`, `${parameter(String(filter.value))}::numeric`];
      return `(CASE WHEN jsonb_typeof(${column} -> ${key}) = '${kind}' THEN ${own} ${COMPARED[filter.type]} ${other} ELSE false END)`;
    }
  }
};
