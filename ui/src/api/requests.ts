import type {
  RequestDetail as RequestDetailSchema,
  RequestHistogram as RequestHistogramSchema,
  RequestRow as RequestRowSchema,
  RequestState as RequestStateSchema,
} from '../../../schemas/http/requests.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import { addressOf, call } from './http.ts';
import type { Page, Paging, Scope, Span } from './span.ts';

export type RequestRow = Wire<typeof RequestRowSchema>;
export type RequestState = Wire<typeof RequestStateSchema>;
export type RequestDetail = Wire<typeof RequestDetailSchema>;
export type RequestHistogram = Wire<typeof RequestHistogramSchema>;
export type RequestAttempt = RequestDetail['attempts'][number];

export interface RequestFilter extends Span {
  readonly userId?: string;
  readonly tokenId?: string;
  readonly channelId?: string;
  readonly model?: string;
  readonly endpoint?: string;
  readonly state?: RequestState;
  readonly result?: 'ok' | 'failed';
  readonly errorCode?: string;
  readonly search?: string;
}

export const listRequests = (filter: RequestFilter & Paging, signal?: AbortSignal): Promise<Page<RequestRow>> =>
  call('GET', '/requests', { query: { ...filter }, signal });
export const readRequest = (requestId: string, signal?: AbortSignal): Promise<RequestDetail> =>
  call('GET', `/requests/${encodeURIComponent(requestId)}`, { signal });
export const readHistogram = (filter: RequestFilter & { readonly buckets: number }, signal?: AbortSignal): Promise<RequestHistogram> =>
  call('GET', '/requests/histogram', { query: { ...filter }, signal });
export const requestTailAddress = (filter: {
  readonly scope?: Scope;
  readonly model?: string;
  readonly tokenId?: string;
  readonly result?: 'ok' | 'failed';
}): string => addressOf('/requests/live', filter);
