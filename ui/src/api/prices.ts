import type { ModelPricePage } from '../../../schemas/http/prices.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';

export type ModelPrices = Wire<typeof ModelPricePage>;

export const listModelPrices = (
  query: { readonly search?: string; readonly kind?: 'chat'; readonly limit?: number; readonly cursor?: string },
  signal?: AbortSignal,
): Promise<ModelPrices> => call('GET', '/prices/models', { query, signal });
