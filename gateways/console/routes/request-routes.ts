import { z } from 'zod';
import { RequestId } from '../../../schemas/ids.ts';
import * as requests from '../../../schemas/http/requests.ts';
import { AfterQuery } from '../../../schemas/http/wire.ts';
import type { Route } from '../route.ts';

const RequestParams = z.object({ requestId: RequestId });
const OneQuery = z.object(AfterQuery);

export const requestRoutes = {
  listRequests: {
    method: 'get',
    path: '/requests',
    auth: 'user',
    tag: 'Requests',
    summary: 'The request log, newest first.',
    query: requests.RequestQuery,
    answer: 'json',
    response: requests.RequestPage,
  },
  readRequestHistogram: {
    method: 'get',
    path: '/requests/histogram',
    auth: 'user',
    tag: 'Requests',
    summary: 'Requests over time under the same filters.',
    query: requests.RequestHistogramQuery,
    answer: 'json',
    response: requests.RequestHistogram,
  },
  tailRequests: {
    method: 'get',
    path: '/requests/live',
    auth: 'user',
    tag: 'Requests',
    summary: 'Requests as they end, as server-sent events.',
    query: requests.RequestTailQuery,
    answer: 'events',
    response: requests.RequestRow,
  },
  readRequest: {
    method: 'get',
    path: '/requests/:requestId',
    auth: 'user',
    tag: 'Requests',
    summary: 'One request with its attempts.',
    params: RequestParams,
    query: OneQuery,
    answer: 'json',
    response: requests.RequestDetail,
  },
} as const satisfies Record<string, Route>;
