import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { channel, chatPrice, startRelay, type RelayHarness } from '../relay-harness.ts';

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'Good day.' }] };
const STREAMED = { ...ASKED, stream: true };

interface ErrorAnswer {
  readonly error: { readonly message: string; readonly code: string };
}

describe('a provider whose errors come with a status of success', () => {
  let server: Server;
  let origin: string;
  let relay: RelayHarness;
  let says: { type: string; body: string };

  before(async () => {
    server = createServer((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': says.type });
      res.end(says.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
  beforeEach(async () => {
    relay = await startRelay();
    relay.directory.channels = [channel(`${origin}/v1`, { provider: 'minimax-intl' })];
    relay.directory.prices.set('m', chatPrice('m'));
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended).to.equal(0);
    expect(relay.spending.charges).to.deep.equal([]);
    await relay.close();
  });

  const failing = (code: number, type = 'application/json'): void => {
    const body = JSON.stringify({ choices: null, base_resp: { status_code: code, status_msg: 'that went wrong' } });
    says = { type, body: type === 'application/json' ? body : `data: ${body}\n\n` };
  };
  const CASES: readonly (readonly [code: number, status: number, error: string])[] = [
    [1002, 429, 'upstream_rate_limited'],
    [1004, 502, 'upstream_refused'],
    [1008, 502, 'upstream_refused'],
    [1013, 502, 'upstream_failed'],
    [9999, 502, 'upstream_failed'],
    [2013, 400, '2013'],
    [1027, 400, 'content_filter'],
  ];

  for (const [code, status, error] of CASES)
    for (const asked of [ASKED, STREAMED])
      it(`is judged by what it says (${code}, ${'stream' in asked ? 'streamed' : 'plain'})`, async () => {
        failing(code);
        const response = await relay.post('/v1/chat/completions', asked);
        const answer = (await response.json()) as ErrorAnswer;
        expect([response.status, answer.error.code]).to.deep.equal([status, error]);
      });

  it('loses the key that it refuses', async () => {
    failing(1004);
    await relay.post('/v1/chat/completions', ASKED);
    expect(relay.health.refusedKeys).to.have.length(1);
  });

  it('is not believed in a stream either', async () => {
    failing(1013, 'text/event-stream');
    const response = await relay.post('/v1/chat/completions', STREAMED);
    expect(((await response.json()) as ErrorAnswer).error.code).to.equal('upstream_failed');
  });
});
