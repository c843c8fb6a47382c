import { AwsV4Signer } from 'aws4fetch';
import type { Clock } from '../../commands/ports/clock.ts';
import type { UpstreamRequest } from '../../gateways/ports/upstream.ts';

/** Keys that are derived from others for a day; more than this are not in use at once, and old ones are let go all together. */
const MOST_DERIVED = 1_000;

const derived = new Map<string, ArrayBuffer>();

/** The region and the service stand in the names of AWS's hosts: `bedrock-runtime.eu-west-1.amazonaws.com`. */
const REGION = /^[a-z0-9-]+?(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\./;

/** The region that a host is in; `null` for a host that does not say. */
export const regionOf = (origin: string): string | null => REGION.exec(new URL(origin).host)?.[1] ?? null;

/**
 * The headers that prove a request to Bedrock, by AWS's Signature Version 4. Only what nothing on the way changes is signed. `null`: the
 * credential is none of `id:secret` or `id:secret:session token`. A host of one's own, before AWS's, is taken to be in `us-east-1`.
 */
export const awsSignature = async (
  { origin, path, method, body }: UpstreamRequest,
  credential: string,
  clock: Clock,
): Promise<Readonly<Record<string, string>> | null> => {
  const [accessKeyId = '', secretAccessKey = '', ...rest] = credential.split(':');
  if (accessKeyId === '' || secretAccessKey === '' || rest.length > 1) return null;
  // What is signed has to be known; no format that AWS speaks has bodies that are passed on while they come.
  if (body !== null && !Buffer.isBuffer(body)) return null;
  if (derived.size > MOST_DERIVED) derived.clear();
  const [sessionToken] = rest;
  const signer = new AwsV4Signer({
    method,
    url: origin + path,
    ...(body === null ? {} : { body: new Uint8Array(body) }),
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: 'bedrock',
    region: regionOf(origin) ?? 'us-east-1',
    cache: derived,
    datetime: new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  });
  return Object.fromEntries((await signer.sign()).headers);
};
