import { expect } from 'chai';
import { routes } from '../../../gateways/console/routes.ts';
import type { Route } from '../../../gateways/console/route.ts';
import { consoleBench, type ConsoleBench, type ConsoleClient } from '../../support/console-bench.ts';

const EXAMPLES: Readonly<Record<string, string>> = {
  tokenId: 'key_none',
  channelId: 'chn_none',
  keyId: 'chk_none',
  userId: 'usr_none',
  requestId: 'req_none',
  notificationId: 'ntf_none',
  exportId: 'exp_none',
  taskId: 'task_none',
  priceListId: 'prl_none',
  name: 'none',
  parkedId: '999999',
  group: 'vip',
  position: '999999',
};

const addressOf = ({ path }: Route): string => `/api${path.replaceAll(/:(\w+)/g, (_whole, name: string) => EXAMPLES[name] ?? 'none')}`;

const table = Object.entries(routes) as [string, Route][];
const CHANGES: readonly string[] = ['post', 'put', 'patch', 'delete'];

describe('who may call the console’s API', () => {
  let bench: ConsoleBench;
  before(async function () {
    // Making the first embedded database of a run takes long on a busy machine.
    this.timeout(120_000);
    bench = await consoleBench();
  });
  after(() => bench.close());

  const statusOf = async (
    client: ConsoleClient,
    route: Route,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; code: string | undefined }> => {
    if (route.answer === 'events') {
      const response = await client.open(route.method.toUpperCase(), addressOf(route), { headers });
      const first = (await response[Symbol.asyncIterator]().next()) as { readonly value?: Buffer };
      const text = first.value?.toString() ?? '';
      response.destroy();
      return {
        status: response.statusCode ?? 0,
        code: text.startsWith('{') ? (JSON.parse(text) as { error: { code: string } }).error.code : undefined,
      };
    }
    const { status, body } = await client.call(route.method.toUpperCase(), addressOf(route), {
      headers,
      ...(route.body === undefined ? {} : { body: {} }),
    });
    return { status, code: (body as { error?: { code: string } } | undefined)?.error?.code };
  };

  for (const [name, route] of table) {
    it(`${name} is for ${route.auth === 'public' ? 'anybody' : route.auth === 'user' ? 'whoever is signed in' : 'administrators'}`, async () => {
      const anonymous = await statusOf(bench.client(), route);
      if (route.auth === 'public') expect(anonymous.status).to.not.be.oneOf([401, 403]);
      else expect(anonymous).to.deep.equal({ status: 401, code: 'not_signed_in' });

      const withApiKey = await statusOf(Object.assign(bench.client(), { bearer: bench.firstRun.apiKey }), route);
      if (route.auth !== 'public')
        expect(withApiKey, 'an API key opens nothing here').to.deep.equal({ status: 401, code: 'not_signed_in' });

      const user = await statusOf(await bench.person(`${name.toLowerCase()}@example.com`), route);
      if (route.auth === 'admin') expect(user).to.deep.equal({ status: 403, code: 'forbidden' });
      else expect(user.status).to.not.be.oneOf([401, 403]);

      const operator = await statusOf(bench.operator(), route);
      expect(operator.status, `operator: ${operator.code ?? ''}`).to.not.be.oneOf([401, 403, 500]);
    });
  }

  for (const [name, route] of table.filter(([, { method, auth }]) => CHANGES.includes(method) && auth !== 'public')) {
    it(`${name} is refused without the session’s token, and from other sites`, async () => {
      const person = await bench.admin();
      const csrf = person.csrf;
      person.csrf = undefined;
      const refused = { status: 403, code: 'csrf_failed' };
      expect(await statusOf(person, route)).to.deep.equal(refused);
      person.csrf = (await bench.admin()).csrf;
      expect(await statusOf(person, route), 'another session’s token').to.deep.equal(refused);
      person.csrf = csrf;
      expect(await statusOf(person, route, { 'sec-fetch-site': 'cross-site' })).to.deep.equal(refused);
      expect(await statusOf(person, route, { 'sec-fetch-site': 'same-site' })).to.deep.equal(refused);
      expect(await statusOf(person, route, { origin: 'https://evil.example.com' })).to.deep.equal(refused);
      expect(await statusOf(person, route, { origin: 'null' })).to.deep.equal(refused);
    });
  }

  it('lets our own pages through', async () => {
    const person = await bench.admin();
    const { status } = await person.post('/api/keys', { name: 'mine' }, { origin: person.origin, 'sec-fetch-site': 'same-origin' });
    expect(status).to.equal(201);
  });

  it('refuses to sign somebody in from another site', async () => {
    const { status, body } = await bench
      .client()
      .post('/api/session', { email: 'admin@example.com', password: bench.firstRun.adminPassword }, { origin: 'https://evil.example.com' });
    expect(status).to.equal(403);
    expect(body.error.code).to.equal('csrf_failed');
  });

  it('knows no other routes and no other methods', async () => {
    const person = await bench.admin();
    expect((await person.get('/api/nothing')).body.error.code).to.equal('not_found');
    const { status, headers, body } = await person.call('DELETE', '/api/overview');
    expect(status).to.equal(405);
    expect(headers.allow).to.equal('GET');
    expect(body.error.code).to.equal('method_not_allowed');
  });
});
