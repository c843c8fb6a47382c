import { z } from 'zod';
import { PriceListId } from '../../schemas/ids.ts';
import { ModelPrice, Ratio } from '../../schemas/price.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const PRICE_LISTS = { name: 'price-lists', version: 1 } as const;

export const priceListTable = tableName(PRICE_LISTS.name, PRICE_LISTS.version);

/** Which published list is in force is a matter of the clock. */
export const PriceListDocument = z.object({
  kind: z.literal('list'),
  priceListId: PriceListId,
  title: z.string(),
  effectiveFrom: Instant,
  asOf: z.string(),
  source: z.string(),
  models: z.array(ModelPrice),
  withdrawn: z.boolean(),
  publishedAt: Instant,
  revision: z.int(),
});
export type PriceListDocument = z.infer<typeof PriceListDocument>;

export const GroupRatioDocument = z.object({ kind: z.literal('ratio'), group: z.string(), ratio: Ratio, revision: z.int() });
export type GroupRatioDocument = z.infer<typeof GroupRatioDocument>;

export const PriceDocument = z.discriminatedUnion('kind', [PriceListDocument, GroupRatioDocument]);
export type PriceDocument = z.infer<typeof PriceDocument>;
