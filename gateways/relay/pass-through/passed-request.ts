import type { Readable } from 'node:stream';
import { applyHeaderRules } from '../../../domain/channel/header-rules.ts';
import type { DirectoryChannel } from '../../ports/directory.ts';
import type { UpstreamRequest } from '../../ports/upstream.ts';
import { presentedKey } from '../authenticate.ts';
import type { Call } from '../call.ts';
import { splice } from '../json-spans.ts';
import { addressOf, mappedBy } from '../upstream-address.ts';
import { addCredential } from '../upstreams/credential-headers.ts';
import type { Asking } from './asking.ts';
import { upstreamPath } from './passed-address.ts';
import { forwardedHeaders } from './passed-headers.ts';

/** The request as the channel's upstream is sent it; `null`: the channel has no address. `stream`: a body that comes by itself. */
export const requestFor = (
  sandboxUrl: string | null,
  call: Call,
  { method, address, named, body }: Asking,
  channel: DirectoryChannel,
  credential: string | null,
  stream: Readable | null,
): UpstreamRequest | null => {
  const { provider, query } = address;
  const { settings } = channel;
  const base = addressOf(settings, sandboxUrl);
  if (base === null) return null;
  const upstreamModel = named === null ? null : (mappedBy(settings, named.name)?.upstreamModel ?? named.name);
  let { rest } = address;
  let sent = body;
  if (named !== null && upstreamModel !== null && upstreamModel !== named.name) {
    if (named.inAddress !== null)
      rest = rest.slice(0, named.inAddress[0]) + encodeURIComponent(upstreamModel) + rest.slice(named.inAddress[1]);
    else if (named.span !== null && body !== null) sent = splice(body, [{ ...named.span, text: JSON.stringify(upstreamModel) }]);
  }
  const headers = forwardedHeaders(call.req.headers, provider, presentedKey(call.req) ?? '');
  headers['user-agent'] ??= 'oblivious';
  const { 'content-length': length } = call.req.headers;
  if (stream !== null && length !== undefined) headers['content-length'] = length;
  if (settings.headerRules !== undefined) applyHeaderRules(headers, settings.headerRules, call.req.headers);
  const signing = credential === null ? null : addCredential(headers, provider.auth, credential);
  return {
    origin: base.origin,
    path: upstreamPath(base, rest, query),
    method,
    headers,
    body: stream ?? sent,
    trusted: provider.internal === true,
    wantsHeaders: true,
    ...(settings.proxy === undefined ? {} : { proxy: settings.proxy }),
    ...(signing === null ? {} : { signing }),
  };
};
