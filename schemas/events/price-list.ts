import { z } from 'zod';
import { PriceListId } from '../ids.ts';
import { ModelPrice, Ratio } from '../price.ts';
import { Instant } from '../time.ts';

export const priceListEvents = {
  PriceListPublished: z.object({
    priceListId: PriceListId,
    title: z.string().min(1).max(200),
    effectiveFrom: Instant,
    /** The day on which the figures were right, and where they come from. */
    asOf: z.iso.date(),
    source: z.string().max(500),
    models: z.array(ModelPrice).min(1).max(5_000),
  }),
  PriceListWithdrawn: z.object({ priceListId: PriceListId, reason: z.string().max(500) }),
  GroupRatioSet: z.object({ group: z.string().min(1).max(64), ratio: Ratio }),
} as const;
