import { expect } from 'chai';
import { jsonReply, startMockServer, type MockReply, type MockServer } from '../../support/fake-upstream/mock-server.ts';
import { channel, chatPrice, startRelay, type RelayHarness } from './relay-harness.ts';

const text = (status: number, type: string, body: string): MockReply => ({ status, headers: { 'content-type': type }, pieces: [body] });

/** What no client of OpenAI’s reads, and what of it is told. */
const ERRORS: readonly (readonly [what: string, reply: MockReply, status: number, told: string])[] = [
  ['a detail', jsonReply(400, { detail: 'Context too long at http://10.0.0.7:8000/v1.' }), 400, 'Context too long at [address]'],
  ['FastAPI’s faults', jsonReply(422, { detail: [{ loc: ['body', 'n'], msg: 'too large' }] }), 422, 'n: too large'],
  ['errors', jsonReply(400, { errors: [{ message: 'No such parameter.' }] }), 400, 'No such parameter.'],
  ['plain text', text(400, 'text/plain', 'max_tokens is too large'), 400, 'max_tokens is too large'],
  ['a page', text(413, 'text/html', '<html><body>nginx on gw.corp.internal</body></html>'), 413, 'did not say why'],
];

const ASKED = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hello.' }] };

interface Form {
  readonly path: string;
  readonly body: object;
  readonly sentence: (said: Readonly<Record<string, unknown>>) => unknown;
}

const within = (said: unknown, name: string): unknown => (said as Readonly<Record<string, unknown>> | undefined)?.[name];

const FORMS: readonly Form[] = [
  { path: '/v1/chat/completions', body: ASKED, sentence: ({ error }) => within(error, 'message') },
  { path: '/v1/messages', body: ASKED, sentence: ({ error }) => within(error, 'message') },
  {
    path: '/v1beta/models/m:generateContent',
    body: { contents: [{ parts: [{ text: 'Hello.' }] }] },
    sentence: ({ error }) => within(error, 'message'),
  },
  { path: '/v2/chat', body: ASKED, sentence: ({ message }) => message },
  { path: '/ollama/api/chat', body: { ...ASKED, stream: false }, sentence: ({ error }) => error },
];

describe('errors that are none of OpenAI’s shape', () => {
  let upstream: MockServer;
  let relay: RelayHarness;

  before(async () => {
    upstream = await startMockServer(() => jsonReply(500, {}));
    relay = await startRelay();
    relay.directory.prices.set('m', chatPrice('m'));
  });
  after(async () => {
    await relay.idle();
    expect(relay.spending.unended).to.equal(0);
    await relay.close();
    await upstream.close();
  });

  for (const { path, body, sentence } of FORMS)
    it(`are told at ${path} in its own format, with their status`, async () => {
      for (const [what, reply, status, told] of ERRORS) {
        relay.directory.channels = [channel(`${upstream.url}/v1`)];
        upstream.next.push(reply);
        const response = await relay.post(path, body);
        const raw = await response.text();
        expect(response.status, `${what}: ${raw}`).to.equal(status);
        expect(sentence(JSON.parse(raw) as Readonly<Record<string, unknown>>), what).to.include(told);
        expect(raw, what).not.to.match(/10\.0\.0\.7|corp\.internal|nginx/);
      }
    });

  it('leave those alone that are', async () => {
    relay.directory.channels = [channel(`${upstream.url}/v1`)];
    const error = { message: 'See https://platform.openai.com/docs.', type: 'invalid_request_error', param: 'n', code: null };
    upstream.next.push(jsonReply(400, { error }));
    expect(await (await relay.post('/v1/chat/completions', ASKED)).json()).to.deep.equal({ error });
  });
});
