import type { RequestFilter, RequestRow } from '../../api/requests.ts';
import { periodField, periodSpan } from '../../lib/period.ts';
import { flag, oneOf, text, type ValuesOf } from '../../lib/url-state.ts';

/** Short and stable: these are in people's bookmarks. */
export const REQUEST_FIELDS = {
  period: periodField('24h'),
  q: text(),
  model: text(),
  result: oneOf(['', 'ok', 'failed'], ''),
  state: oneOf(['', 'running', 'charged', 'released'], ''),
  key: text(),
  channel: text(),
  user: text(),
  error: text(),
  endpoint: text(),
  scope: oneOf(['mine', 'all'], 'mine'),
  live: flag(),
} as const;
export type RequestFilterValues = ValuesOf<typeof REQUEST_FIELDS>;

/** Those that narrow the list; whose data, which period and live tail do not count as filters to be cleared. */
export const NARROWING = ['q', 'model', 'result', 'state', 'key', 'channel', 'user', 'error', 'endpoint'] as const;

const given = <Text extends string>(value: Text | ''): Text | undefined => (value === '' ? undefined : value);

export const requestFilterOf = (values: RequestFilterValues, isAdmin: boolean, now: number, zone: string): RequestFilter => ({
  ...periodSpan(values.period, now, zone),
  scope: isAdmin && values.scope === 'all' ? 'all' : undefined,
  search: given(values.q),
  model: given(values.model),
  result: given(values.result),
  state: given(values.state),
  tokenId: given(values.key),
  channelId: isAdmin ? given(values.channel) : undefined,
  userId: isAdmin ? given(values.user) : undefined,
  errorCode: given(values.error),
  endpoint: given(values.endpoint),
});

/** Live tail knows fewer filters than the list, so what comes is held against the rest here. */
export const passes = (row: RequestRow, filter: RequestFilter): boolean =>
  (filter.search === undefined || row.requestId.startsWith(filter.search)) &&
  (filter.model === undefined || row.model === filter.model) &&
  (filter.result === undefined || (row.status !== null && row.status < 400 ? 'ok' : 'failed') === filter.result) &&
  (filter.state === undefined || row.state === filter.state) &&
  (filter.tokenId === undefined || row.tokenId === filter.tokenId) &&
  (filter.channelId === undefined || row.channelId === filter.channelId) &&
  (filter.userId === undefined || row.userId === filter.userId) &&
  (filter.errorCode === undefined || row.errorCode === filter.errorCode) &&
  (filter.endpoint === undefined || row.endpoint === filter.endpoint) &&
  (filter.to === undefined || row.startedAt < filter.to);
