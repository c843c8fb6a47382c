import { expect } from 'chai';
import { lookup as resolve } from 'node:dns';
import type { UpstreamFault } from '../../../gateways/ports/upstream.ts';
import { createEgressGuard } from '../../../infra/egress/guard.ts';
import { parseEgressPolicy } from '../../../infra/egress/policy.ts';
import { createUpstreamPools, type UpstreamPools } from '../../../infra/upstream/upstream-pools.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { startHttpProxy, startSocksProxy, type TestProxy } from '../../support/proxies.ts';

/** Every name is this machine, but one that points inside. */
const guardFor = (policy: string) => {
  const parsed = parseEgressPolicy(policy);
  if (parsed === null) throw new Error('no policy');
  return createEgressGuard(parsed, (hostname, callback) =>
    hostname === 'inside.test' ? callback(null, [{ address: '10.0.0.1', family: 4 }]) : resolve('127.0.0.1', { all: true }, callback),
  );
};

describe('upstreams behind a proxy', () => {
  let upstream: FakeUpstream;
  let pools: UpstreamPools;
  const proxies: TestProxy[] = [];
  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(() => {
    pools = createUpstreamPools({ guard: guardFor('loopback'), connectMs: 2_000 });
  });
  afterEach(async () => {
    await pools.close();
    for (const proxy of proxies.splice(0)) await proxy.close();
  });
  const proxied = async (starting: Promise<TestProxy>): Promise<TestProxy> => {
    const proxy = await starting;
    proxies.push(proxy);
    return proxy;
  };
  const get = (proxy: string, origin: string): Promise<{ status: number } | UpstreamFault> =>
    new Promise((settle) => {
      let status = 0;
      pools.send(
        { origin, path: '/v1/models', method: 'GET', headers: {}, body: null, trusted: false, proxy },
        {
          headers: (answered) => (status = answered),
          data: () => true,
          end: () => settle({ status }),
          failed: settle,
        },
      );
    });
  const kindOf = async (asked: ReturnType<typeof get>): Promise<string> => {
    const answer = await asked;
    return 'kind' in answer ? answer.kind : `status ${answer.status}`;
  };

  for (const [how, start] of [
    ['HTTP', startHttpProxy],
    ['SOCKS5', startSocksProxy],
  ] as const) {
    it(`are reached by the address that was judged here, never by name (${how})`, async () => {
      const proxy = await proxied(start());
      expect(await get(proxy.url, `http://upstream.test:${upstream.port}`)).to.deep.equal({ status: 200 });
      expect(proxy.targets).to.deep.equal([`127.0.0.1:${upstream.port}`]);
    });

    it(`are not reached where they are off limits, whatever the proxy could reach (${how})`, async () => {
      const proxy = await proxied(start());
      for (const origin of ['http://inside.test', 'http://10.0.0.1:81', 'http://169.254.169.254'])
        expect(await kindOf(get(proxy.url, origin)), origin).to.equal('blocked');
      expect(proxy.targets).to.deep.equal([]);
    });
  }

  it('are not reached through a proxy that is off limits, or refuses, or is not there', async () => {
    const origin = `http://upstream.test:${upstream.port}`;
    expect(await kindOf(get('http://inside.test:8080', origin))).to.equal('blocked');
    expect(await kindOf(get('socks5://10.0.0.1:1080', origin))).to.equal('blocked');
    const refusing = await proxied(startHttpProxy(407));
    expect(await kindOf(get(refusing.url, origin))).to.equal('unreachable');
    const gone = await startSocksProxy();
    await gone.close();
    expect(await kindOf(get(gone.url, origin))).to.equal('unreachable');
  });
});
