import { BlockList, isIP, isIPv6 } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { parseAddress } from '../../../domain/network/address.ts';
import { addressMatcher, parseAddressRange } from '../../../domain/network/address-range.ts';

describe('addresses', () => {
  it('reads every spelling of an address that the platform knows, to the same number', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text);
        // In hexadecimal first: ipaddr.js takes the dotted `::1.2.3.4` for a mapped address, which it is not.
        const plain = text.includes(':') ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
        const bytes = ipaddr.process(plain).toByteArray();
        expect(address).to.deep.equal({ bits: bytes.length * 8, value: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) });
      }),
    );
  });

  it('reads no text that the platform does not take for an address', () => {
    const pieces = fc
      .array(fc.constantFrom('0', '1', '255', '256', 'ffff', '10000', '::', ':', '.', 'g', '%eth0', '/', '1.2.3.4', '01', ''), {
        maxLength: 12,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(pieces, (text) => {
        if (isIP(text) === 0) expect(parseAddress(text), text).to.equal(null);
        else if (!text.includes('%')) expect(parseAddress(text), text).not.to.equal(null);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes an IPv4 address in IPv6 clothing for what it is', () => {
    expect(parseAddress('::ffff:192.0.2.1')).to.deep.equal(parseAddress('192.0.2.1'));
    expect(parseAddress('::ffff:c000:201')).to.deep.equal(parseAddress('192.0.2.1'));
    expect(parseAddress('0:0:0:0:0:FFFF:c000:0201')).to.deep.equal(parseAddress('192.0.2.1'));
  });
});

describe('address ranges', () => {
  it('holds exactly the addresses that the platform’s own block list holds', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(address, fc.nat(128), address, fc.boolean(), (base, length, other, near) => {
        const family = isIPv6(base) ? 'ipv6' : 'ipv4';
        const prefix = family === 'ipv4' ? Math.min(length, 32) : length;
        const asked = near ? base : other;
        // Across families the two differ on purpose: `::/0` does not hold IPv4 addresses here.
        fc.pre(isIPv6(asked) === isIPv6(base) && [base, asked].every((text) => (parseAddress(text)?.bits === 128) === isIPv6(text)));
        const list = new BlockList();
        list.addSubnet(base, prefix, family);
        expect(addressMatcher([`${base}/${prefix}`])(asked)).to.equal(list.check(asked, isIPv6(asked) ? 'ipv6' : 'ipv4'));
      }),
    );
  });

  it('lets an IPv4 range hold the mapped form of its addresses, and a mapped range the plain form', () => {
    expect(addressMatcher(['10.0.0.0/8'])('::ffff:10.1.2.3')).to.equal(true);
    expect(addressMatcher(['::ffff:10.0.0.0/104'])('10.1.2.3')).to.equal(true);
    expect(addressMatcher(['::ffff:10.0.0.0/104'])('11.1.2.3')).to.equal(false);
  });

  it('holds nothing that is not an address, and refuses what is not a range', () => {
    expect(addressMatcher(['0.0.0.0/0', '::/0'])('example.com')).to.equal(false);
    for (const text of ['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/08', '10.0.0/8', '::ffff:10.0.0.0/8', 'x', ''])
      expect(parseAddressRange(text), text).to.equal(null);
    expect(() => addressMatcher(['10.0.0.0/33'])).to.throw('not an address range');
  });
});
