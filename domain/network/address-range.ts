import { parseAddress, type Address } from './address.ts';

/** All addresses of one family that begin with the same bits. */
export interface AddressRange {
  readonly bits: 32 | 128;
  readonly prefix: bigint;
  /** How many bits lie behind the prefix. */
  readonly free: bigint;
}

/** `192.0.2.7`, `192.0.2.0/24` or `2001:db8::/32`; `null` for anything else. Bits behind the prefix are ignored. */
export const parseAddressRange = (text: string): AddressRange | null => {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  if (slash < 0) return { bits: address.bits, prefix: address.value, free: 0n };
  const lengthText = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText)) return null;
  // A mapped range (`::ffff:10.0.0.0/104`) counts its prefix in 128 bits and becomes an IPv4 range.
  const mapped = address.bits === 32 && text.includes(':');
  const length = Number(lengthText) - (mapped ? 96 : 0);
  if (length < 0 || length > address.bits) return null;
  const free = BigInt(address.bits - length);
  return { bits: address.bits, prefix: address.value >> free, free };
};

export const inRange = ({ bits, value }: Address, range: AddressRange): boolean =>
  bits === range.bits && value >> range.free === range.prefix;

/**
 * A test whether an address lies in any of these ranges, made once and asked per call. What is not an address lies in none.
 * Throws on a range that is not one: schemas keep such out of events.
 */
export const addressMatcher = (ranges: readonly string[]): ((address: string) => boolean) => {
  const parsed = ranges.map((text) => {
    const range = parseAddressRange(text);
    if (range === null) throw new Error(`not an address range: ${text}`);
    return range;
  });
  return (text) => {
    const address = parseAddress(text);
    return address !== null && parsed.some((range) => inRange(address, range));
  };
};
