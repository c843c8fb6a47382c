import type { IncomingHttpHeaders } from 'node:http';
import type { Provider } from '../../../domain/providers/provider.ts';
import type { UpstreamHeaders } from '../../ports/upstream.ts';

/** Of the connection, of the caller's own network and browser, or of who asks and for whom: none of the upstream's business. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'api-key',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'openai-organization',
  'openai-project',
  'origin',
  'priority',
  'proxy-authorization',
  'proxy-connection',
  'referer',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-api-key',
  'x-client-ip',
  'x-client-request-id',
  'x-goog-api-key',
  'x-goog-user-project',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
]);

const NOT_FORWARDED_KINDS = /^(?:x-forwarded-|x-oblivious-|x-amz-|sec-|cf-|proxy-)/;

/** The caller's headers that go to the upstream. Nothing that holds his key is among them, wherever he put it. */
export const forwardedHeaders = (headers: IncomingHttpHeaders, { auth }: Provider, callersKey: string): Record<string, string> => {
  const named = new Set((headers.connection ?? '').toLowerCase().split(/\s*,\s*/));
  const forwarded: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NOT_FORWARDED.has(name) || NOT_FORWARDED_KINDS.test(name) || named.has(name)) continue;
    if (auth.kind === 'header' && auth.name === name) continue;
    const text = Array.isArray(value) ? value.join(', ') : value;
    if (!text.includes(callersKey)) forwarded[name] = text;
  }
  return forwarded;
};

/** What would send a client elsewhere, set something in its browser, or tell whose account is behind the channel. */
const NOT_ANSWERED: ReadonlySet<string> = new Set([
  'alt-svc',
  'anthropic-organization-id',
  'content-encoding',
  'content-length',
  'date',
  'location',
  'openai-organization',
  'openai-project',
  'refresh',
  'request-id',
  'server',
  'set-cookie',
  'strict-transport-security',
  'x-goog-upload-url',
  'x-goog-upload-control-url',
  'x-request-id',
]);

const NOT_ANSWERED_KINDS = /^(?:access-control-|x-oblivious-|cf-)/;

/** The upstream's headers that go to the caller, names and values in turn. */
export const answeredHeaders = (headers: UpstreamHeaders): string[] => {
  const answered: string[] = [];
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !NOT_ANSWERED.has(name) && !NOT_ANSWERED_KINDS.test(name)) answered.push(name, value);
  return answered;
};
