import { z } from 'zod';
import { PriceListId } from '../../../schemas/ids.ts';
import * as keys from '../../../schemas/http/keys.ts';
import * as limits from '../../../schemas/http/limits.ts';
import * as prices from '../../../schemas/http/prices.ts';
import { AfterQuery, Done } from '../../../schemas/http/wire.ts';
import type { Route } from '../route.ts';

const OneQuery = z.object(AfterQuery);

export const priceRoutes = {
  listPriceLists: {
    method: 'get',
    path: '/prices',
    auth: 'user',
    tag: 'Prices',
    summary: 'Price lists and which one is in force.',
    query: prices.PriceListsQuery,
    answer: 'json',
    response: prices.PriceLists,
  },
  publishPriceList: {
    method: 'post',
    path: '/prices',
    auth: 'admin',
    tag: 'Prices',
    summary: 'Publish a price list.',
    body: prices.PublishPriceList,
    answer: 'json',
    status: 201,
    response: prices.PriceListPublished,
  },
  listModelPrices: {
    method: 'get',
    path: '/prices/models',
    auth: 'user',
    tag: 'Prices',
    summary: 'Models and their prices.',
    query: prices.ModelPricesQuery,
    answer: 'json',
    response: prices.ModelPricePage,
  },
  listGroupRatios: {
    method: 'get',
    path: '/prices/groups',
    auth: 'admin',
    tag: 'Prices',
    summary: 'What each group pays of the list price.',
    query: OneQuery,
    answer: 'json',
    response: prices.GroupRatios,
  },
  setGroupRatio: {
    method: 'put',
    path: '/prices/groups/:group',
    auth: 'admin',
    tag: 'Prices',
    summary: 'Set what a group pays of the list price.',
    params: z.object({ group: z.string().min(1).max(64) }),
    body: prices.SetGroupRatio,
    answer: 'json',
    response: Done,
  },
  readLimits: {
    method: 'get',
    path: '/limits',
    auth: 'admin',
    tag: 'Limits',
    summary: 'Every rule of limits, and what holds while they cannot be counted together.',
    answer: 'json',
    response: limits.LimitsView,
  },
  setLimits: {
    method: 'put',
    path: '/limits',
    auth: 'admin',
    tag: 'Limits',
    summary: 'Set all rules of limits at once.',
    body: limits.SetLimits,
    ifMatch: true,
    answer: 'json',
    response: Done,
  },
  withdrawPriceList: {
    method: 'post',
    path: '/prices/:priceListId/withdraw',
    auth: 'admin',
    tag: 'Prices',
    summary: 'Withdraw a price list; the one before is in force again.',
    params: z.object({ priceListId: PriceListId }),
    body: keys.Reason,
    answer: 'json',
    response: Done,
  },
} as const satisfies Record<string, Route>;
