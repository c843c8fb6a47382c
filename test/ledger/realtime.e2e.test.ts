import { expect } from 'chai';
import { RealtimeClient } from '../support/realtime-upstream/realtime-client.ts';
import { startRealtimeUpstream, type RealtimeUpstream } from '../support/realtime-upstream/realtime-upstream.ts';
import { operatorOf, type TestModel } from '../support/server-process/operator.ts';
import { startInstallation, type Installation } from '../support/server-process/test-installation.ts';

const SPOKEN: TestModel = { model: 'spoken', inputPerToken: 200, cachedPerToken: 50, outputPerToken: 700, maxOutputTokens: 64 };
/** 30 of text and 50 of sound at the input’s rate, 40 cached, 50 of output. */
const COST = 80n * 200n + 40n * 50n + 50n * 700n;

interface Row {
  readonly requestId: string;
  readonly endpoint: string;
  readonly amount: string;
}

describe('realtime sessions of a running server', function () {
  this.timeout(120_000);
  let installation: Installation;
  let upstream: RealtimeUpstream;
  let userId: string;
  let key: { readonly tokenId: string; readonly secret: string };

  before(async () => {
    upstream = await startRealtimeUpstream();
    installation = await startInstallation({ gateways: 1, models: [SPOKEN] });
    const { operator } = installation;
    await operator.request('POST', '/channels', {
      settings: {
        name: 'Realtime',
        provider: 'openai',
        baseUrl: upstream.baseUrl,
        priority: 10,
        models: [{ model: SPOKEN.model, upstreamModel: 'theirs' }],
      },
      secrets: ['sk-of-the-tests'],
    });
    userId = await operator.createUser(100_000_000_000n);
    key = await operator.createKey(userId);
  });
  after(async () => {
    await installation.remove();
    await upstream.close();
  });

  const opened = async (): Promise<RealtimeClient> => {
    const url = `${String(installation.urls[0]).replace('http', 'ws')}/v1/realtime?model=${SPOKEN.model}`;
    const client = new RealtimeClient(url, {}, ['realtime', `openai-insecure-api-key.${key.secret}`]);
    await client.until(() => client.count('session.created') === 1 || client.answer !== null);
    expect(client.answer).to.equal(null);
    return client;
  };

  it('are charged response by response, and closed when the key is disabled and when the server stops', async () => {
    const { operator } = installation;
    const client = await opened();
    for (const count of [1, 2]) {
      client.send({ type: 'response.create' });
      await client.until(() => client.count('response.done') === count);
    }
    await operator.request('POST', `/keys/${key.tokenId}/disable`, { reason: 'a test' });
    const since = performance.now();
    await client.until(() => client.closed !== null);
    expect(performance.now() - since).to.be.lessThan(3_000);
    expect(client.errorCode).to.equal('key_disabled');

    await operator.request('POST', `/keys/${key.tokenId}/enable`, {});
    const last = await opened();
    const stopped = installation.stopServers();
    await last.until(() => last.closed !== null);
    expect(last.closed?.code).to.equal(1012);
    await stopped;
    await installation.startServers();
    const charged = (await rows()).filter(({ amount }) => amount !== '0');
    expect(charged.map(({ endpoint, amount }) => `${endpoint} ${amount}`)).to.deep.equal([`realtime ${COST}`, `realtime ${COST}`]);
    expect(new Set(charged.map(({ requestId }) => requestId)).size).to.equal(2);
  });

  const rows = async (): Promise<readonly Row[]> => {
    const operator = await operatorOf(installation.servers[0] as Installation['servers'][number]);
    const { position } = await operator.request<{ position: string }>('POST', `/users/${userId}/credit`, {
      amount: '1',
      reason: 'a place in the log',
    });
    const page = await operator.request<{ rows: readonly Row[] }>(
      'GET',
      `/requests?scope=all&userId=${userId}&limit=200&after=${position}`,
    );
    return page.rows;
  };
});
