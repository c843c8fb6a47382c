import { createHmac } from 'node:crypto';
import type { Clock } from '../../commands/ports/clock.ts';
import type { UpstreamRequest } from '../../gateways/ports/upstream.ts';

/** The body with the app named in it; `null` for one that has no place for it. */
const namingApp = (body: Buffer, appId: string): Buffer | null => {
  const said: unknown = JSON.parse(body.toString('utf8'));
  if (typeof said !== 'object' || said === null) return null;
  const header = 'header' in said && typeof said.header === 'object' ? said.header : {};
  return Buffer.from(JSON.stringify({ ...said, header: { app_id: appId, ...header } }));
};

/**
 * What proves a request to iFlytek’s WebSockets: a signature (HMAC-SHA256) of the host, the date and the path in the address, and the app’s id in the
 * body. `null`: the credential is none of `app id|API secret|API key`.
 */
export const iflytekProof = (
  { origin, path, body }: Pick<UpstreamRequest, 'origin' | 'path' | 'body'>,
  credential: string,
  clock: Clock,
): { readonly headers: Readonly<Record<string, string>>; readonly query: string; readonly body: Buffer } | null => {
  const [appId = '', secret = '', key = '', ...rest] = credential.split('|');
  if (appId === '' || secret === '' || key === '' || rest.length > 0 || !Buffer.isBuffer(body)) return null;
  const named = namingApp(body, appId);
  if (named === null) return null;
  const { host } = new URL(origin);
  const date = new Date(clock.now()).toUTCString();
  const signature = createHmac('sha256', secret).update(`host: ${host}\ndate: ${date}\nGET ${path} HTTP/1.1`).digest('base64');
  const said = `api_key="${key}", algorithm="hmac-sha256", headers="host date request-line", signature="${signature}"`;
  const query = [
    ['authorization', Buffer.from(said).toString('base64')],
    ['date', date],
    ['host', host],
  ].map(([name = '', value = '']) => `${name}=${encodeURIComponent(value)}`);
  return { headers: {}, query: query.join('&'), body: named };
};
