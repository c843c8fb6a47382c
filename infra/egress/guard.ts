import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { isNamed, type EgressPolicy } from './policy.ts';

/** A connection that was not made because of where it would have gone. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly code = 'EEGRESS';
}

/**
 * Keeps calls to upstreams away from addresses that are nobody's business outside. `check` is for people who enter an address;
 * `lookup` is for the moment of connecting: what it checked is what is connected to, so a name that changes in between gains nothing.
 */
export interface EgressGuard {
  /** `null` when the URL may be called. */
  check(url: URL): Promise<Refusal | null>;
  /** For sockets. Fails with {@link EgressRefused} when any address of the name is off limits. */
  readonly lookup: LookupFunction;
  /** For hosts that are addresses already: sockets do not look those up. */
  allowsAddress(address: string): boolean;
}

/** Resolves a name to all its addresses; the system's resolver unless a test says otherwise. */
export type Resolve = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

const bySystem: Resolve = (hostname, callback) => systemLookup(hostname, { all: true }, callback);

const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');
/** RFC 6052: how an IPv6-only network reaches IPv4 servers. Judged by the address inside. */
const NAT64 = 'rfc6052';

const plain = (address: string): ipaddr.IPv4 | ipaddr.IPv6 => {
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 && parsed.range() === NAT64 ? new ipaddr.IPv4(parsed.toByteArray().slice(12)) : parsed;
};

/** Open to the whole internet: unicast in the registry's sense, and for IPv6 in the only block from which addresses are given out. */
const isPublic = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address.range() === 'unicast' && (address instanceof ipaddr.IPv4 || address.match(GLOBAL_IPV6));

/** No server answers there, whatever an operator allows: the unspecified address would be this very machine. */
const isNoServer = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean => ['unspecified', 'broadcast', 'multicast'].includes(address.range());

const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** Longest that a check waits for a name. */
const RESOLVE_MS = 5_000;

export const createEgressGuard = (policy: EgressPolicy, resolve: Resolve = bySystem): EgressGuard => {
  const allowsAddress = (text: string): boolean => {
    if (!ipaddr.isValid(text) || text.includes('%')) return false;
    const address = plain(text);
    return isPublic(address) || (!isNoServer(address) && isNamed(policy, address.toString()));
  };

  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, (error, found) => {
      if (error !== null) return callback(error, '', 0);
      const wanted = options.family === 4 || options.family === 'IPv4' ? 4 : options.family === 6 || options.family === 'IPv6' ? 6 : 0;
      // All of them are judged, also those of the other family: a name that points inside at all is not to be trusted.
      if (!found.every(({ address }) => allowsAddress(address)))
        return callback(new EgressRefused(`${hostname} points to an address that is off limits`), '', 0);
      const usable = found.filter(({ family }) => wanted === 0 || family === wanted);
      const first = usable[0];
      if (first === undefined) return callback(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), '', 0);
      if (options.all === true) callback(null, usable);
      else callback(null, first.address, first.family);
    });
  };

  const addressesOf = (hostname: string): Promise<readonly LookupAddress[] | null> =>
    new Promise((settle) => {
      const timer = setTimeout(() => settle(null), RESOLVE_MS);
      resolve(hostname, (error, found) => {
        clearTimeout(timer);
        settle(error === null ? found : null);
      });
    });

  const check = async (url: URL): Promise<Refusal | null> => {
    if (url.protocol !== 'https:' && url.protocol !== 'http:')
      return refuse('address_blocked', 'Only http and https addresses can be called.');
    const host = bareHost(url);
    const addresses = isIP(host) === 0 ? await addressesOf(host) : [{ address: host, family: isIP(host) }];
    if (addresses === null || addresses.length === 0) return refuse('address_blocked', `The name ${host} cannot be resolved from here.`);
    return addresses.every(({ address }) => allowsAddress(address))
      ? null
      : refuse(
          'address_blocked',
          `${host} is in a private or reserved range. The operator can allow such addresses with OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS.`,
        );
  };

  return { check, lookup, allowsAddress };
};
