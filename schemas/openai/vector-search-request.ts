import { z } from 'zod';

const Scalar = z.union([z.string().max(512), z.number(), z.boolean()]);
const key = z.string().min(1).max(64);

/** What of a file's attributes is asked for. */
export type AttributeFilter =
  | { readonly type: 'eq' | 'ne'; readonly key: string; readonly value: z.infer<typeof Scalar> }
  | { readonly type: 'gt' | 'gte' | 'lt' | 'lte'; readonly key: string; readonly value: string | number }
  | { readonly type: 'in' | 'nin'; readonly key: string; readonly value: readonly z.infer<typeof Scalar>[] }
  | { readonly type: 'and' | 'or'; readonly filters: readonly AttributeFilter[] };

const AttributeFilter: z.ZodType<AttributeFilter> = z.lazy(() =>
  z.union([
    z.strictObject({ type: z.enum(['eq', 'ne']), key, value: Scalar }),
    z.strictObject({ type: z.enum(['gt', 'gte', 'lt', 'lte']), key, value: z.union([z.string().max(512), z.number()]) }),
    z.strictObject({ type: z.enum(['in', 'nin']), key, value: z.array(Scalar).min(1).max(100) }),
    z.strictObject({ type: z.enum(['and', 'or']), filters: z.array(AttributeFilter).min(1).max(20) }),
  ]),
);

const MOST_CONDITIONS = 64;
const DEEPEST = 8;

const conditionsIn = (filter: AttributeFilter, depth = 1): number => {
  if (depth > DEEPEST) return Infinity;
  return 'filters' in filter ? filter.filters.reduce((sum, each) => sum + conditionsIn(each, depth + 1), 1) : 1;
};

const query = z.string().min(1).max(32_768);

export const VectorSearch = z.strictObject({
  query: z.union([query, z.array(query).min(1).max(10)]).transform((asked) => (typeof asked === 'string' ? [asked] : asked)),
  filters: AttributeFilter.nullish().refine(
    (filter) => filter === null || filter === undefined || conditionsIn(filter) <= MOST_CONDITIONS,
    `at most ${MOST_CONDITIONS} conditions, ${DEEPEST} deep`,
  ),
  max_num_results: z.int().min(1).max(50).default(10),
  ranking_options: z
    .strictObject({
      ranker: z.enum(['none', 'auto', 'default-2024-11-15']).optional(),
      score_threshold: z.number().min(0).max(1).optional(),
    })
    .nullish(),
  /** No model is asked to write the query anew. */
  rewrite_query: z.literal(false).optional(),
});
