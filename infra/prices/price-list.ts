import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ModelPrice } from '../../schemas/price.ts';

/** The price list that comes with the program and is published at the first start. */
export const ShippedPriceList = z.object({
  title: z.string().min(1).max(200),
  /** The day on which the figures were right. */
  asOf: z.iso.date(),
  source: z.string().max(500),
  models: z.array(ModelPrice).min(1).max(5_000),
});
export type ShippedPriceList = z.infer<typeof ShippedPriceList>;

export const shippedPriceList = async (): Promise<ShippedPriceList> =>
  ShippedPriceList.parse(JSON.parse(await readFile(new URL('./price-list.json', import.meta.url), 'utf8')));
