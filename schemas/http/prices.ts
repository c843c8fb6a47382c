import { z } from 'zod';
import { PriceListId } from '../ids.ts';
import { ModelKind, ModelPrice, Ratio } from '../price.ts';
import { Instant } from '../time.ts';
import { Done, PageQuery, pageOf, AfterQuery } from './wire.ts';

export const PriceListView = z.object({
  priceListId: PriceListId,
  title: z.string(),
  effectiveFrom: Instant,
  asOf: z.string(),
  source: z.string(),
  models: z.int(),
  status: z.enum(['current', 'upcoming', 'superseded', 'withdrawn']),
});

export const PriceListsQuery = z.object(AfterQuery);
export const PriceLists = z.object({ rows: z.array(PriceListView) });

/** Of the list in force, or of a named one. `served`: a channel that is on maps the model. */
export const ModelPriceView = ModelPrice.extend({ served: z.boolean() });
export const ModelPricesQuery = z.object({
  ...PageQuery,
  priceListId: PriceListId.optional(),
  search: z.string().max(100).optional(),
  kind: ModelKind.optional(),
});
export const ModelPricePage = pageOf(ModelPriceView).extend({ priceListId: PriceListId.nullable(), groupRatio: Ratio });

export const PublishPriceList = z.object({
  title: z.string().trim().min(1).max(200),
  /** At once unless given. */
  effectiveFrom: Instant.optional(),
  asOf: z.iso.date(),
  source: z.string().trim().max(500),
  models: z.array(ModelPrice).min(1).max(5_000),
});
export const PriceListPublished = z.object({ ...Done.shape, priceListId: PriceListId });

export const GroupRatios = z.object({ rows: z.array(z.object({ group: z.string(), ratio: Ratio })) });
/** Millionths: 1 000 000 is the list price. */
export const SetGroupRatio = z.object({ ratio: Ratio });
