import { createHash, createHmac } from 'node:crypto';
import type { Clock } from '../../commands/ports/clock.ts';
import type { UpstreamRequest } from '../../gateways/ports/upstream.ts';

const ALGORITHM = 'TC3-HMAC-SHA256';
const SIGNED = ['content-type', 'host', 'x-tc-action'] as const;

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** The service stands in front of the names of Tencent’s hosts. */
const serviceOf = (host: string): string => /^([a-z0-9]+)\.(?:[a-z0-9-]+\.)*tencentcloudapi\.com$/.exec(host)?.[1] ?? 'hunyuan';

/**
 * The headers that prove a request to Tencent Cloud, by version 3 of its signatures. `null`: the credential is none of `secret id|secret key`, with or
 * without the number of an account in front.
 */
export const tencentSignature = (
  { origin, method, headers, body }: Pick<UpstreamRequest, 'origin' | 'method' | 'headers' | 'body'>,
  credential: string,
  clock: Clock,
): Readonly<Record<string, string>> | null => {
  const parts = credential.split('|');
  const [id = '', key = ''] = parts.slice(-2);
  if (parts.length < 2 || parts.length > 3 || id === '' || key === '' || !Buffer.isBuffer(body)) return null;
  const { host } = new URL(origin);
  const seconds = Math.floor(clock.now() / 1_000);
  const day = new Date(seconds * 1_000).toISOString().slice(0, 10);
  const service = serviceOf(host);
  const scope = `${day}/${service}/tc3_request`;
  const lines = SIGNED.map((name) => `${name}:${(name === 'host' ? host : (headers[name] ?? '')).trim().toLowerCase()}`);
  const canonical = [method, '/', '', ...lines, '', SIGNED.join(';'), sha256(body)].join('\n');
  const signing = hmac(hmac(hmac(`TC3${key}`, day), service), 'tc3_request');
  const signature = createHmac('sha256', signing)
    .update([ALGORITHM, String(seconds), scope, sha256(canonical)].join('\n'))
    .digest('hex');
  return {
    authorization: `${ALGORITHM} Credential=${id}/${scope}, SignedHeaders=${SIGNED.join(';')}, Signature=${signature}`,
    'x-tc-timestamp': String(seconds),
  };
};
