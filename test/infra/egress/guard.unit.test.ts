import { expect } from 'chai';
import fc from 'fast-check';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIPv6 } from 'node:net';
import { createEgressGuard, EgressRefused, type EgressGuard, type Resolve } from '../../../infra/egress/guard.ts';
import { parseEgressPolicy, type EgressPolicy } from '../../../infra/egress/policy.ts';

const policy = (text: string): EgressPolicy => parseEgressPolicy(text) ?? expect.fail(`not a policy: ${text}`);

const resolving =
  (...addresses: readonly string[]): Resolve =>
  (_hostname, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })),
    );

const failing: Resolve = (_hostname, callback) => callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);

const codeOf = async (guard: EgressGuard, url: string): Promise<string | null> => (await guard.check(new URL(url)))?.refused ?? null;

/** Every spelling that a URL parser turns into an address which is not public. */
const INSIDE = [
  'http://127.0.0.1/v1',
  'http://127.1/',
  'http://0x7f000001/',
  'http://2130706433/',
  'http://0177.0.0.1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.0.1/',
  'http://169.254.169.254/latest/meta-data',
  'http://100.64.0.1/',
  'http://192.0.0.1/',
  'http://192.0.2.1/',
  'http://198.18.0.1/',
  'http://198.51.100.1/',
  'http://203.0.113.1/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://[::1]/',
  'http://[::]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[64:ff9b::10.0.0.1]/',
  'http://[64:ff9b:1::1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:7f00:1::]/',
  'http://[2001:db8::1]/',
  'http://[fe80::1]/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  'http://[100::1]/',
  'http://[5f00::1]/',
  'http://[4000::1]/',
  'ftp://8.8.8.8/',
  'file:///etc/passwd',
];

describe('egress guard', () => {
  it('refuses every spelling of an address that is not public', async () => {
    const guard = createEgressGuard(policy('none'));
    for (const url of INSIDE) expect(await codeOf(guard, url), url).to.equal('address_blocked');
  });

  it('lets public addresses through, those behind NAT64 too', async () => {
    const guard = createEgressGuard(policy('none'));
    for (const url of ['https://8.8.8.8/', 'http://1.1.1.1:8080/', 'https://[2606:4700:4700::1111]/', 'https://[64:ff9b::8.8.8.8]/'])
      expect(await codeOf(guard, url), url).to.equal(null);
  });

  it('judges a name by all its addresses', async () => {
    expect(await codeOf(createEgressGuard(policy('none'), resolving('8.8.8.8', '2606:4700::1')), 'https://api.example.com/')).to.equal(
      null,
    );
    expect(await codeOf(createEgressGuard(policy('none'), resolving('8.8.8.8', '10.0.0.1')), 'https://api.example.com/')).to.equal(
      'address_blocked',
    );
    expect(await codeOf(createEgressGuard(policy('none'), resolving()), 'https://api.example.com/')).to.equal('address_blocked');
    expect(await codeOf(createEgressGuard(policy('none'), failing), 'https://api.example.com/')).to.equal('address_blocked');
  });

  it('lets in what the operator names and nothing beyond', async () => {
    const verdicts = async (text: string, urls: readonly string[]): Promise<readonly (string | null)[]> =>
      Promise.all(urls.map((url) => codeOf(createEgressGuard(policy(text)), url)));
    const urls = [
      'http://127.0.0.1/',
      'http://[::1]/',
      'http://192.168.1.1/',
      'http://[fd12::1]/',
      'http://169.254.169.254/',
      'http://0.0.0.0/',
      'http://8.8.8.8/',
    ];
    const no = 'address_blocked';
    expect(await verdicts('none', urls)).to.deep.equal([no, no, no, no, no, no, null]);
    expect(await verdicts('', urls)).to.deep.equal([no, no, no, no, no, no, null]);
    expect(await verdicts('loopback', urls)).to.deep.equal([null, null, no, no, no, no, null]);
    expect(await verdicts('private', urls)).to.deep.equal([null, null, null, null, no, no, null]);
    expect(await verdicts('192.168.1.0/24', urls)).to.deep.equal([no, no, null, no, no, no, null]);
    expect(await verdicts('loopback, 192.168.0.0/16', urls)).to.deep.equal([null, null, null, no, no, no, null]);
    expect(await verdicts('all', urls)).to.deep.equal([null, null, null, null, null, no, null]);
  });

  it('takes no policy that it does not understand', () => {
    for (const text of ['everything', 'none,all', '10.0.0.0/33', 'private;loopback', '10.0.0.0/8,x'])
      expect(parseEgressPolicy(text), text).to.equal(null);
  });

  it('lets no address through that another check of ranges calls private', () => {
    const guard = createEgressGuard(policy('none'));
    const blocks = [
      [10, 0, 0],
      [127, 0, 0],
      [192, 168, 0],
      [169, 254, 0],
      [100, 64, 0],
      [172, 20, 0],
      [0, 0, 0],
      [224, 0, 0],
      [250, 0, 0],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...blocks), fc.nat(255), fc.boolean(), ([a, b, c], last, mapped) => {
        const address = `${a}.${b}.${c}.${last}`;
        expect(guard.allowsAddress(mapped ? `::ffff:${address}` : address), address).to.equal(false);
      }),
    );
  });
});

describe('egress guard at the moment of connecting', () => {
  const lookUp = (
    guard: EgressGuard,
    options: LookupOptions,
  ): Promise<{ error: Error | null; address: string | readonly LookupAddress[]; family?: number }> =>
    new Promise((resolve) =>
      guard.lookup('api.example.com', options, (error, address, family) =>
        resolve({ error, address, ...(family === undefined ? {} : { family }) }),
      ),
    );

  it('hands the socket the addresses that it checked', async () => {
    const guard = createEgressGuard(policy('none'), resolving('8.8.8.8', '2606:4700::1'));
    expect(await lookUp(guard, { all: true })).to.deep.equal({
      error: null,
      address: [
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1', family: 6 },
      ],
    });
    expect(await lookUp(guard, {})).to.deep.equal({ error: null, address: '8.8.8.8', family: 4 });
    expect(await lookUp(guard, { family: 6 })).to.deep.equal({ error: null, address: '2606:4700::1', family: 6 });
    expect(await lookUp(guard, { family: 6, all: true })).to.deep.equal({ error: null, address: [{ address: '2606:4700::1', family: 6 }] });
  });

  it('fails a name that was public when it was entered and points inside now', async () => {
    let now = '8.8.8.8';
    const guard = createEgressGuard(policy('none'), (hostname, callback) => resolving(now)(hostname, callback));
    expect(await guard.check(new URL('https://api.example.com/'))).to.equal(null);
    now = '169.254.169.254';
    for (const options of [{}, { all: true }]) expect((await lookUp(guard, options)).error).to.be.instanceOf(EgressRefused);
  });

  it('fails a name with an inside address of the family that was not asked for', async () => {
    const guard = createEgressGuard(policy('none'), resolving('8.8.8.8', '::1'));
    expect((await lookUp(guard, { family: 4 })).error).to.be.instanceOf(EgressRefused);
  });

  it('passes a resolver’s own failure on', async () => {
    expect((await lookUp(createEgressGuard(policy('none'), failing), {})).error?.message).to.equal('no such name');
    expect((await lookUp(createEgressGuard(policy('none'), resolving('8.8.8.8')), { family: 6 })).error?.message).to.include(
      'has no address',
    );
  });
});
