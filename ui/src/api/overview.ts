import type { OverviewFigures, SpendSeries as SpendSeriesSchema, TopModels as TopModelsSchema } from '../../../schemas/http/overview.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';
import type { Span } from './span.ts';

export type Figures = Wire<typeof OverviewFigures>;
export type SpendSeries = Wire<typeof SpendSeriesSchema>;
export type TopModels = Wire<typeof TopModelsSchema>;

export const readOverview = (query: Span, signal?: AbortSignal): Promise<Figures> =>
  call('GET', '/overview', { query: { ...query }, signal });
export const readSpendSeries = (
  query: Span & { readonly bucket: 'hour' | 'day'; readonly by: 'model' | 'key' },
  signal?: AbortSignal,
): Promise<SpendSeries> => call('GET', '/overview/spend', { query: { ...query }, signal });
export const readTopModels = (query: Span, signal?: AbortSignal): Promise<TopModels> =>
  call('GET', '/overview/models', { query: { ...query }, signal });
