import * as overview from '../../../schemas/http/overview.ts';
import type { Route } from '../route.ts';

export const overviewRoutes = {
  readOverview: {
    method: 'get',
    path: '/overview',
    auth: 'user',
    tag: 'Overview',
    summary: 'Balance, spend, requests and tokens of a period beside the one before.',
    query: overview.OverviewQuery,
    answer: 'json',
    response: overview.OverviewFigures,
  },
  readSpendSeries: {
    method: 'get',
    path: '/overview/spend',
    auth: 'user',
    tag: 'Overview',
    summary: 'Spend over time, by model or by key.',
    query: overview.SpendSeriesQuery,
    answer: 'json',
    response: overview.SpendSeries,
  },
  readTopModels: {
    method: 'get',
    path: '/overview/models',
    auth: 'user',
    tag: 'Overview',
    summary: 'The models that cost most in a period.',
    query: overview.OverviewQuery,
    answer: 'json',
    response: overview.TopModels,
  },
} as const satisfies Record<string, Route>;
