import { inRange, parseAddressRange, type AddressRange } from '../../domain/network/address-range.ts';
import { parseAddress } from '../../domain/network/address.ts';

/** Which addresses that are not public the operator lets channels point to. */
export type EgressPolicy = { readonly kind: 'ranges'; readonly ranges: readonly AddressRange[] } | { readonly kind: 'all' };

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
/** RFC 1918, RFC 4193, and this machine. Not link-local: that is where clouds keep their metadata servers. */
const PRIVATE = [...LOOPBACK, '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'];

const NAMED: Readonly<Record<string, readonly string[]>> = { none: [], loopback: LOOPBACK, private: PRIVATE };

/** `none`, `loopback`, `private`, `all`, or CIDR ranges with commas between them; names and ranges may be mixed. `null` for anything else. */
export const parseEgressPolicy = (text: string): EgressPolicy | null => {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (words.includes('all')) return words.length === 1 ? { kind: 'all' } : null;
  const ranges = words.flatMap((word) => NAMED[word] ?? [word]).map(parseAddressRange);
  return ranges.every((range) => range !== null) ? { kind: 'ranges', ranges } : null;
};

/** Whether the policy names this address. */
export const isNamed = (policy: EgressPolicy, address: string): boolean => {
  if (policy.kind === 'all') return true;
  const parsed = parseAddress(address);
  return parsed !== null && policy.ranges.some((range) => inRange(parsed, range));
};
