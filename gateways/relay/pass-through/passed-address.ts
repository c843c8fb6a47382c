import type { Provider } from '../../../domain/providers/provider.ts';
import { providerOf } from '../../../domain/providers/providers.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { UpstreamAddress } from '../upstream-address.ts';

/** What a client asked of a provider by the provider's own address. */
export interface PassedAddress {
  readonly provider: Provider;
  /** Behind what stands before the version in the base URLs of the provider's channels; no slash in front. As the client sent it. */
  readonly rest: string;
  /** With its question mark; empty where there is none. Without the caller's key. */
  readonly query: string;
}

const FORM = /^\/providers\/([a-z0-9][a-z0-9-]{0,63})\/([\x21-\x7e]*)$/;
const MOST_DECODINGS = 4;
const NOT_AN_ADDRESS = refuse('invalid_request', 'The address behind the provider’s name is not valid.');

/** Everything that some server on the way might read the text as. */
const readings = (text: string): readonly string[] | null => {
  const found = [text];
  for (let read = text; found.length <= MOST_DECODINGS;) {
    let decoded: string;
    try {
      decoded = decodeURIComponent(read);
    } catch {
      return found.length === 1 ? null : found;
    }
    if (decoded === read) return found;
    found.push(decoded);
    read = decoded;
  }
  return null;
};

/** No part of it may mean another place than it says: not up, not from the root, not another host, however often it is decoded. */
const staysWithin = (path: string): boolean => {
  const read = readings(path);
  return (
    read !== null &&
    read.every(
      (text) =>
        // eslint-disable-next-line no-control-regex -- what no address may hold
        !/[\\\u0000-\u001f\u007f#]/.test(text) &&
        text.split('/').every((segment) => {
          const [name = ''] = segment.split(';');
          return name !== '' && name !== '.' && name !== '..';
        }),
    )
  );
};

const nameOf = (pair: string): string => {
  const [name = ''] = pair.split('=');
  try {
    return decodeURIComponent(name.replaceAll('+', ' ')).trim().toLowerCase();
  } catch {
    return name.toLowerCase();
  }
};

/** Names under which credentials stand in queries. */
const CREDENTIALS: ReadonlySet<string> = new Set(['key', 'api-key', 'api_key', 'access_token', 'token']);

/** `url` is all of the request's but scheme and host. */
export const passedAddress = (url: string): PassedAddress | Refusal => {
  const at = url.indexOf('?');
  const [, id = '', rest = ''] = FORM.exec(at < 0 ? url : url.slice(0, at)) ?? [];
  const provider = providerOf(id);
  if (provider === undefined || provider.internal === true)
    return refuse('not_found', `There is no provider called "${id}". Addresses are of the form /providers/{provider}/{address}.`);
  if (!staysWithin(rest)) return NOT_AN_ADDRESS;
  const given = at < 0 ? '' : url.slice(at + 1);
  if (/[^\x21-\x7e]|#/.test(given)) return NOT_AN_ADDRESS;
  const kept = given.split('&').filter((pair) => pair !== '' && !CREDENTIALS.has(nameOf(pair)));
  return { provider, rest, query: kept.length === 0 ? '' : `?${kept.join('&')}` };
};

const VERSION = /^v\d+[a-z0-9]*$/i;

/** Behind the version in an address, or all of it where there is none. */
export const behindVersion = (rest: string): string => {
  const slash = rest.indexOf('/');
  return slash > 0 && VERSION.test(rest.slice(0, slash)) ? rest.slice(slash + 1) : rest;
};

/** The path at the channel's upstream: the base URL's, but for its version, which is the client's to name. */
export const upstreamPath = ({ path }: UpstreamAddress, rest: string, query: string): string => {
  const slash = path.lastIndexOf('/');
  const root = VERSION.test(path.slice(slash + 1)) ? path.slice(0, slash) : path;
  return `${root}/${rest}${query}`;
};
