/**
 * What to make of an upstream's status before anything was sent to the client.
 * - `answer`: go on.
 * - `callers_fault`: any upstream would say the same; the client gets the upstream's own words.
 * - `key_refused`: the key is not good any more: out for all calls, another key or channel may serve this one.
 * - `key_spent`: the account behind the key has no money: the key rests, others may serve.
 * - `rate_limited`: the key rests for as long as the upstream says.
 * - `channel_unfit`: this channel does not serve what is asked (its address or its model name is wrong): another may.
 * - `channel_failed`: the upstream is ill.
 */
export type UpstreamVerdict =
  'answer' | 'callers_fault' | 'key_refused' | 'key_spent' | 'rate_limited' | 'channel_unfit' | 'channel_failed';

const CALLERS_FAULT: ReadonlySet<number> = new Set([400, 406, 409, 411, 413, 414, 415, 416, 417, 418, 422, 431, 451]);

/** `code` and `type` are those of an OpenAI-shaped error body, where there was one. */
export const judgeUpstream = (status: number, code: string | null, type: string | null): UpstreamVerdict => {
  if (status === 200 || status === 201) return 'answer';
  if (CALLERS_FAULT.has(status)) return 'callers_fault';
  switch (status) {
    case 401:
      return 'key_refused';
    case 402:
      return 'key_spent';
    case 403:
      return code === 'unsupported_country_region_territory' ? 'channel_unfit' : 'key_refused';
    case 404:
    case 405:
    case 410:
      return 'channel_unfit';
    case 429:
      return code === 'insufficient_quota' || type === 'insufficient_quota' ? 'key_spent' : 'rate_limited';
    default:
      return 'channel_failed';
  }
};
