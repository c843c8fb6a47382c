import { expect } from 'chai';
import { consoleBench, PASSWORD, type ConsoleBench, type ConsoleClient } from '../../support/console-bench.ts';
import { listed } from '../../support/listed.ts';

/* eslint-disable @typescript-eslint/no-explicit-any -- bodies are looked at, not trusted */

const SECRET = 'sk-upstream-0123456789';
const settings = {
  name: 'Upstream',
  provider: 'openai',
  baseUrl: 'https://api.example.com/v1',
  models: [{ model: 'large', upstreamModel: 'their-large' }],
};

describe('administration', () => {
  let bench: ConsoleBench;
  let admin: ConsoleClient;
  before(async function () {
    this.timeout(120_000);
    bench = await consoleBench();
    admin = await bench.admin();
  });
  after(() => bench.close());

  const read = async (path: string, after: { position: string | null }): Promise<any> => {
    const { status, body, text } = await admin.get(`${path}${path.includes('?') ? '&' : '?'}after=${after.position ?? 0}`);
    expect(status, text).to.equal(200);
    return body;
  };

  describe('of many channels', () => {
    it('changes them by tag, and says which were left', async () => {
      const add = async (name: string, tags: string[]) =>
        (await admin.post('/api/channels', { settings: { ...settings, name, tags }, secrets: [SECRET] })).body;
      const [one, two] = [await add('one', ['eu']), await add('two', ['eu', 'old'])];
      const other = await add('other', ['us']);
      await read('/api/channels', other);
      const edit = { weight: 7, enabled: false, addTags: ['new'], removeTags: ['old'] };
      const { body: edited } = await admin.post('/api/channels/edit', { tag: 'eu', edit });
      expect(edited.rows).to.have.deep.members([one, two].map(({ channelId }) => ({ channelId, ok: true, code: null, message: null })));
      const { rows } = await read('/api/channels?tag=new', edited);
      expect((rows as any[]).map((row) => [row.settings.weight, row.enabled, row.settings.tags])).to.have.deep.members([
        [7, false, ['eu', 'new']],
        [7, false, ['eu', 'new']],
      ]);
      const { body: unknown } = await admin.post('/api/channels/edit', { channelIds: ['chn_none'], edit });
      expect(unknown.rows[0]).to.include({ ok: false });
      expect((await admin.post('/api/channels/edit', { edit })).status).to.equal(400);
      for (const { channelId } of [one, two, other]) await admin.call('DELETE', `/api/channels/${channelId}`);
    });

    it('copies one with its keys, switched off, and takes them to another installation without', async () => {
      const { body: added } = await admin.post('/api/channels', { settings: { ...settings, name: 'original' }, secrets: [SECRET] });
      const { status, body: copied } = await admin.post(`/api/channels/${added.channelId}/copy`, { name: 'copy' });
      expect(status).to.equal(201);
      const copy = await read(`/api/channels/${copied.channelId}`, copied);
      expect(copy).to.deep.include({ enabled: false, disabledBy: 'operator' });
      expect(copy.keys[0]).to.include({ hint: '…6789', enabled: true });
      bench.upstreamAnswer = { status: 200, body: '{"choices":[{"message":{"content":"ok"}}]}' };
      expect((await admin.post(`/api/channels/${copied.channelId}/test`, {})).body.ok).to.equal(true);
      expect(bench.asked.at(-1)?.headers['authorization']).to.equal(`Bearer ${SECRET}`);

      const { body: exported, text } = await admin.get('/api/channels/export');
      expect(text).not.to.include('env1.').and.not.to.include('6789');
      for (const channelId of [added.channelId, copied.channelId]) await admin.call('DELETE', `/api/channels/${channelId}`);
      const channels = (exported.channels as any[]).filter((each) => ['original', 'copy'].includes(each.settings.name));
      const { body: gone } = await admin.call('DELETE', `/api/channels/${added.channelId}`);
      expect(gone.error.code).to.equal('not_found');
      const { rows: left } = await read('/api/channels', { position: (await admin.get('/api/status')).body.head });
      const kept = (left as any[]).map((row) => row.settings.name as string);
      expect(kept).to.not.include('original');
      const { body: imported } = await admin.post('/api/channels/import', { ...exported, channels: [...channels, channels[0]] });
      expect((imported.rows as any[]).map((row) => row.channelId === null)).to.deep.equal([false, false, true]);
      await read('/api/channels', imported);
      for (const { channelId } of imported.rows) if (channelId !== null) await admin.call('DELETE', `/api/channels/${channelId}`);
    });

    it('asks an upstream which models it has, and maps what somebody wants of them', async () => {
      const { body: added } = await admin.post('/api/channels', { settings: { ...settings, name: 'discovering' }, secrets: [SECRET] });
      bench.upstreamAnswer = { status: 200, body: '{"data":[{"id":"new-one"},{"id":"new-two"},{"id":"new-one"}]}' };
      const { body: found } = await admin.post(`/api/channels/${added.channelId}/discover`);
      expect(found).to.deep.include({ models: ['new-one', 'new-two'], missing: ['new-one', 'new-two'], gone: ['large'] });
      expect(bench.asked.at(-1)).to.include({ method: 'GET', path: '/v1/models' });
      const { body: applied } = await admin.post(`/api/channels/${added.channelId}/models`, { add: ['new-two'], remove: ['large'] });
      const channel = await read(`/api/channels/${added.channelId}`, applied);
      expect(channel.settings.models).to.deep.equal([{ model: 'new-two', upstreamModel: 'new-two' }]);
      expect(channel.discovered.count).to.equal(2);
      bench.upstreamAnswer = { status: 404, body: 'no' };
      const refused = await admin.post(`/api/channels/${added.channelId}/discover`);
      expect([refused.status, refused.body.error.code]).to.deep.equal([502, 'upstream_failed']);
      await admin.call('DELETE', `/api/channels/${added.channelId}`);
    });
  });

  describe('of balances', () => {
    it('asks an upstream what is left', async () => {
      const ofDeepSeek = { ...settings, name: 'with a balance', provider: 'deepseek' };
      const { body: added } = await admin.post('/api/channels', { settings: ofDeepSeek, secrets: [SECRET] });
      bench.upstreamAnswer = { status: 200, body: '{"is_available":true,"balance_infos":[{"currency":"CNY","total_balance":"110.05"}]}' };
      const told = await admin.post(`/api/channels/${added.channelId}/balance`);
      expect([told.status, told.body]).to.deep.equal([200, { currency: 'CNY', amount: '110.05' }]);
      expect(bench.asked.at(-1)).to.include({ method: 'GET', path: '/user/balance' });
      expect(bench.asked.at(-1)?.headers['authorization']).to.equal(`Bearer ${SECRET}`);
      bench.upstreamAnswer = { status: 200, body: '{"balance":"plenty"}' };
      const refused = await admin.post(`/api/channels/${added.channelId}/balance`);
      expect([refused.status, refused.body.error.code]).to.deep.equal([502, 'upstream_failed']);
      await admin.call('DELETE', `/api/channels/${added.channelId}`);
    });
  });

  describe('of routing', () => {
    const rules = [{ models: ['large'], groups: ['vip'], strategy: 'lowest_cost', affinity: [], hedgeMs: null }];

    it('sets rules, all of them at once, and not over somebody else’s', async () => {
      expect((await admin.get('/api/routing/rules')).body).to.deep.equal({ rules: [], changedAt: null });
      const { status, body } = await admin.call('PUT', '/api/routing/rules', { body: { rules } });
      expect(status).to.equal(200);
      const shown = await read('/api/routing/rules', body);
      expect(shown.rules).to.deep.equal(rules);
      const late = await admin.call('PUT', '/api/routing/rules', {
        body: { rules: [] },
        headers: { 'if-match': `"${shown.revision + 1}"` },
      });
      expect(late.status).to.equal(412);
      expect((await admin.call('PUT', '/api/routing/rules', { body: { rules: [{ ...rules[0], models: ['a*b*'] }] } })).status).to.equal(
        400,
      );
    });

    it('says where calls would go, and why not elsewhere', async () => {
      const add = async (name: string, more: object = {}) =>
        (await admin.post('/api/channels', { settings: { ...settings, name, ...more }, secrets: [SECRET] })).body;
      const dear = await add('dear', { weight: 3 });
      const cheap = await add('cheap', { weight: 1, costRatio: 500_000 });
      const vip = await add('vip', { priority: 5, groups: ['vip'] });
      const off = await add('off', { priority: 9 });
      const last = (await admin.post(`/api/channels/${off.channelId}/disable`, {})).body;
      await read('/api/channels', last);
      interface Simulated {
        readonly considered: readonly { readonly channelId: string; readonly verdict: string; readonly calls: number }[];
        readonly model: string;
      }
      const simulate = async (asked: object): Promise<Simulated> => {
        const answer = await admin.post('/api/routing/simulate', { model: 'large', ...asked });
        expect(answer.status, answer.text).to.equal(200);
        return answer.body as Simulated;
      };
      const verdicts = ({ considered }: Simulated): Record<string, string> =>
        Object.fromEntries(considered.map(({ channelId, verdict }) => [channelId, verdict]));

      const drawn = await simulate({ draws: 20_000 });
      expect(drawn).to.deep.include({ strategy: 'weighted', factsOf: 'record', unserved: 0 });
      expect(verdicts(drawn)).to.deep.include({ [vip.channelId]: 'other_group', [off.channelId]: 'off' });
      const calls = (channelId: string): number => drawn.considered.find((each) => each.channelId === channelId)?.calls ?? 0;
      expect(calls(dear.channelId) / 20_000).to.be.closeTo(0.75, 0.01);
      expect(calls(dear.channelId) + calls(cheap.channelId)).to.equal(20_000);

      expect(verdicts(await simulate({ group: 'vip' }))[vip.channelId]).to.equal('chosen');
      const without = await simulate({ group: 'vip', facts: [{ channelId: vip.channelId, out: true }], strategy: 'lowest_cost' });
      expect(verdicts(without)).to.deep.include({ [vip.channelId]: 'tried', [cheap.channelId]: 'chosen', [dear.channelId]: 'outdone' });
      expect(await simulate({ model: 'nothing' })).to.deep.include({ considered: [], unserved: 1 });
      expect((await simulate({ model: 'LARGE' })).model).to.equal('large');
      for (const { channelId } of [dear, cheap, vip, off]) await admin.call('DELETE', `/api/channels/${channelId}`);
    });
  });

  describe('of channels', () => {
    it('adds one whose credentials are never shown again', async () => {
      const { status, body: added } = await admin.post('/api/channels', { settings, secrets: [SECRET] });
      expect(status).to.equal(201);
      const channel = await read(`/api/channels/${added.channelId}`, added);
      expect(channel).to.include({ enabled: true, health: 'unknown' });
      expect(channel.settings).to.deep.equal({ ...settings, priority: 0, weight: 1, groups: null, costRatio: 1_000_000 });
      expect(channel.keys).to.have.length(1);
      expect(channel.keys[0]).to.include({ hint: '…6789', enabled: true });
      const { text } = await admin.get('/api/channels');
      expect(text).not.to.include(SECRET).and.not.to.include('env1.');
      const { text: events } = await admin.get('/api/events?category=channel');
      expect(events).to.include('ChannelKeyAdded').and.not.to.include('env1.').and.not.to.include(SECRET);
    });

    it('gives one its provider’s address, with the blanks filled', async () => {
      const own = { name: 'Workers', provider: 'cloudflare-workers-ai', models: settings.models };
      const { body: added } = await admin.post('/api/channels', { settings: own, blanks: { account: '0a1b' }, secrets: [] });
      const channel = await read(`/api/channels/${added.channelId}`, added);
      expect(channel.settings.baseUrl).to.equal('https://api.cloudflare.com/client/v4/accounts/0a1b/ai/v1');
      for (const account of ['', '../..', 'a/b'])
        expect((await admin.post('/api/channels', { settings: own, blanks: { account }, secrets: [] })).body.error.param).to.equal(
          'blanks.account',
        );
      const open = { ...own, baseUrl: 'https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1' };
      expect((await admin.post('/api/channels', { settings: open, secrets: [] })).body.error.param).to.equal('settings.baseUrl');
      const { body: moved } = await admin.call('PUT', `/api/channels/${added.channelId}`, {
        body: { settings: { ...channel.settings, provider: 'groq', baseUrl: undefined } },
        headers: { 'if-match': String(channel.revision) },
      });
      expect((await read(`/api/channels/${added.channelId}`, moved)).settings.baseUrl).to.equal('https://api.groq.com/openai/v1');
    });

    it('knows everybody who can be behind one, but for the sandbox', async () => {
      const { body } = await admin.get('/api/providers');
      const rows = listed(body.rows) as { id: string }[];
      const ids = rows.map(({ id }) => id);
      expect(ids).to.include.members(['openai', 'groq', 'ollama']).and.not.to.include('sandbox');
      expect(rows.find(({ id }) => id === 'snowflake-cortex')).to.deep.include({
        blanks: [{ name: 'account', form: 'host' }],
        keyless: false,
      });
    });

    it('tests one as its provider wants to be asked', async () => {
      const own = { name: 'Sarvam', provider: 'sarvam', models: settings.models };
      const { body: added } = await admin.post('/api/channels', { settings: own, secrets: [SECRET] });
      bench.upstreamAnswer = { status: 200, body: '{"choices":[{"message":{"content":"ok"}}]}' };
      expect((await admin.post(`/api/channels/${added.channelId}/test`, {})).body).to.include({ ok: true });
      expect(bench.asked.at(-1)?.headers).to.include({ 'api-subscription-key': SECRET }).and.not.to.have.property('authorization');

      const other = { name: 'MiniMax', provider: 'minimax-legacy', models: settings.models };
      const { body: second } = await admin.post('/api/channels', { settings: other, secrets: [SECRET] });
      bench.upstreamAnswer = { status: 200, body: '{"base_resp":{"status_code":1004,"status_msg":"no such key"}}' };
      expect((await admin.post(`/api/channels/${second.channelId}/test`, {})).body).to.include({
        ok: false,
        message: 'HTTP 401: no such key',
      });
      expect(bench.asked.at(-1)).to.include({ origin: 'https://api.minimax.chat', path: '/v1/text/chatcompletion_v2' });
    });

    it('tests one through the same way that calls take, and shows how it went', async () => {
      const { body: added } = await admin.post('/api/channels', { settings, secrets: [SECRET] });
      const test = async () => (await admin.post(`/api/channels/${added.channelId}/test`, {})).body;
      bench.upstreamAnswer = { status: 200, body: '{"choices":[{"message":{"content":"ok"}}]}' };
      const fine = await test();
      expect(fine).to.include({ ok: true, model: 'large' });
      const sent = bench.asked.at(-1);
      expect(sent).to.include({ origin: 'https://api.example.com', path: '/v1/chat/completions', method: 'POST', trusted: false });
      expect(sent?.headers.authorization).to.equal(`Bearer ${SECRET}`);
      expect(JSON.parse((sent?.body as Buffer).toString())).to.include({ model: 'their-large' });
      expect(await read(`/api/channels/${added.channelId}`, fine)).to.include({ health: 'healthy' });

      bench.upstreamAnswer = { status: 401, body: JSON.stringify({ error: { message: `Incorrect API key provided: ${SECRET}` } }) };
      const refused = await test();
      expect(refused).to.include({ ok: false, message: 'HTTP 401: Incorrect API key provided: [key]' });
      const channel = await read(`/api/channels/${added.channelId}`, refused);
      expect(channel).to.include({ health: 'failing' });
      expect(channel.lastTest).to.include({ ok: false, model: 'large' });

      for (const [answer, message] of [
        [{ fault: 'connect ECONNREFUSED' }, 'connect ECONNREFUSED'],
        [{ status: 200, body: '<html>hello</html>' }, 'What came is no answer in the form that this provider has.'],
        [{ status: 500, body: 'oops' }, 'HTTP 500: oops'],
      ] as const) {
        bench.upstreamAnswer = answer;
        expect(await test()).to.include({ ok: false, message });
      }
    });

    it('refuses one that points inside, and credentials for another server than they were entered for', async () => {
      const inside = await admin.post('/api/channels', { settings: { ...settings, baseUrl: 'http://10.0.0.1/v1' } });
      expect(inside.body.error).to.include({ code: 'address_blocked', param: 'settings.baseUrl' });
      const { body: added } = await admin.post('/api/channels', { settings, secrets: [SECRET] });
      const channel = await read(`/api/channels/${added.channelId}`, added);
      const moved = await admin.call('PUT', `/api/channels/${added.channelId}`, {
        body: { settings: { ...channel.settings, baseUrl: 'https://other.example.com/v1' } },
      });
      expect(moved.body.error).to.include({ code: 'invalid_request', param: 'secrets' });
    });

    it('switches one off and on, changes its keys, and removes it', async () => {
      const { body: added } = await admin.post('/api/channels', { settings, secrets: [SECRET] });
      const path = `/api/channels/${added.channelId}`;
      const off = (await admin.post(`${path}/disable`, { reason: 'maintenance' })).body;
      expect(await read(path, off)).to.include({ enabled: false, disabledBy: 'operator', disabledReason: 'maintenance' });
      const on = (await admin.post(`${path}/enable`)).body;
      expect(await read(path, on)).to.include({ enabled: true, disabledBy: null });
      const { body: key } = await admin.post(`${path}/keys`, { secret: 'sk-second-9876543210' });
      const keyOff = (await admin.post(`${path}/keys/${key.keyId}/disable`, { reason: 'quota' })).body;
      expect((await read(path, keyOff)).keys[1]).to.include({ enabled: false, disabledReason: 'quota' });
      await admin.post(`${path}/keys/${key.keyId}/restore`);
      const gone = (await admin.call('DELETE', `${path}/keys/${key.keyId}`)).body;
      const channel = await read(path, gone);
      expect(channel.keys).to.have.length(1);
      const removed = await admin.call('DELETE', path, { headers: { 'if-match': `"${channel.revision}"` } });
      expect(removed.status).to.equal(200);
      expect((await admin.get(`${path}?after=${removed.body.position}`)).status).to.equal(404);
      expect(listed((await read('/api/channels', removed.body)).rows).map(({ channelId }: any) => channelId)).not.to.include(
        added.channelId,
      );
    });
  });

  describe('of people', () => {
    it('registers somebody with a password made for them, who can sign in', async () => {
      const { status, body: made } = await admin.post('/api/users', { email: 'New@Example.com', displayName: 'New' });
      expect(status).to.equal(201);
      expect(await read(`/api/users/${made.userId}`, made)).to.include({
        email: 'new@example.com',
        role: 'user',
        group: 'default',
        status: 'active',
        balance: '0',
      });
      expect((await bench.client().signIn('new@example.com', made.password as string)).status).to.equal(200);
      expect((await admin.post('/api/users', { email: 'new@example.com', displayName: 'Again' })).body.error).to.include({
        code: 'already_exists',
        param: 'email',
      });
    });

    it('gives credit, caps, a group and a role', async () => {
      const person = await bench.person('changed@example.com');
      const path = `/api/users/${person.userId}`;
      await admin.post(`${path}/credit`, { amount: '3000000000', reason: 'invoice 7' });
      await admin.call('PUT', `${path}/caps`, { body: { day: '1000000000' } });
      await admin.call('PUT', `${path}/group`, { body: { group: 'vip' } });
      const { body: last } = await admin.call('PUT', `${path}/role`, { body: { role: 'admin' } });
      const user = await read(path, last);
      expect(user).to.include({ balance: '3000000000', group: 'vip', role: 'admin' });
      expect(user.caps).to.deep.equal({ day: '1000000000', month: null, total: null });
      expect((await admin.post(`${path}/credit`, { amount: '0', reason: 'nothing' })).body.error).to.include({
        code: 'invalid_request',
        param: 'amount',
      });
    });

    it('does not let administrators lock themselves out', async () => {
      const path = `/api/users/${bench.firstRun.administratorId}`;
      expect((await admin.post(`${path}/suspend`, {})).body.error.code).to.equal('wrong_state');
      expect((await admin.call('PUT', `${path}/role`, { body: { role: 'user' } })).body.error.code).to.equal('wrong_state');
    });

    it('finds people by name, address, role and state', async () => {
      const { userId } = await bench.person('findme@example.com');
      const { body: done } = await admin.post(`/api/users/${userId}/suspend`, { reason: 'test' });
      const found = async (query: string): Promise<string[]> =>
        listed((await read(`/api/users?${query}`, done)).rows).map(({ email }: any) => email as string);
      expect(await found('search=findme')).to.deep.equal(['findme@example.com']);
      expect(await found('status=suspended')).to.deep.equal(['findme@example.com']);
      expect(await found('role=admin'))
        .to.include('admin@example.com')
        .and.not.to.include('findme@example.com');
    });
  });

  describe('of one’s own account', () => {
    it('changes name and address, unless somebody has it', async () => {
      const person = await bench.person('mine@example.com');
      const { body: done } = await person.call('PATCH', '/api/account', { body: { displayName: 'Me', email: 'Mine.Too@example.com' } });
      expect((await person.get(`/api/account?after=${done.position}`)).body.user).to.include({
        displayName: 'Me',
        email: 'mine.too@example.com',
      });
      expect((await person.call('PATCH', '/api/account', { body: { email: 'admin@example.com' } })).body.error.code).to.equal(
        'already_exists',
      );
      expect((await bench.client().signIn('mine.too@example.com', PASSWORD)).status).to.equal(200);
      expect((await bench.client().signIn('mine@example.com', PASSWORD)).status).to.equal(401);
    });
  });

  describe('of prices', () => {
    it('publishes a list that is in force from its time on, and withdraws it', async () => {
      const { body: lists } = await admin.get('/api/prices');
      expect(listed(lists.rows).map(({ title, status }: any) => [title, status])).to.deep.equal([['First', 'current']]);
      const list = {
        title: 'Second',
        asOf: '2026-02-01',
        source: 'test',
        models: [{ model: 'large', kind: 'chat', rates: { input: '1', output: '2' } }],
      };
      const { status, body: made } = await admin.post('/api/prices', list);
      expect(status).to.equal(201);
      expect(listed((await read('/api/prices', made)).rows).map(({ title, status: its }: any) => [title, its])).to.deep.equal([
        ['Second', 'current'],
        ['First', 'superseded'],
      ]);
      expect((await read('/api/prices/models?search=LAR', made)).rows).to.deep.equal([{ ...list.models[0], served: true }]);
      const { body: gone } = await admin.post(`/api/prices/${made.priceListId}/withdraw`, { reason: 'typo' });
      expect((await read('/api/prices', gone)).rows[1]).to.include({ title: 'First', status: 'current' });
      const { body: bad } = await admin.post('/api/prices', { ...list, models: [{ model: 'x', kind: 'chat', rates: { input: '1' } }] });
      expect(bad.error).to.include({ code: 'invalid_request', param: 'models.0' });
    });

    it('sets what a group pays', async () => {
      const { body: done } = await admin.call('PUT', '/api/prices/groups/vip', { body: { ratio: 500_000 } });
      expect((await read('/api/prices/groups', done)).rows).to.deep.equal([{ group: 'vip', ratio: 500_000 }]);
      expect((await admin.call('PUT', '/api/prices/groups/vip', { body: { ratio: -1 } })).status).to.equal(400);
    });
  });

  describe('of limits', () => {
    const set = (body: object, headers: Record<string, string> = {}) => admin.call('PUT', '/api/limits', { body, headers });
    const rule = { id: 'free', name: 'Free tier', per: ['user'], measure: 'tokens', amount: 20_000, window: 'minute' };

    it('sets all rules at once, and shows what holds', async () => {
      const { body: before } = await admin.get('/api/limits');
      expect(before).to.deep.equal({ policy: { rules: [], whenStoreAway: 'perProcess' }, revision: -1 });
      const { status, text } = await set({ rules: [rule], whenStoreAway: 'refuse' });
      expect(status, text).to.equal(200);
      const { body: after } = await admin.get('/api/limits');
      expect(after.policy.whenStoreAway).to.equal('refuse');
      expect(after.policy.rules).to.deep.equal([
        { ...rule, enabled: true, scope: {}, action: { kind: 'refuse' }, algorithm: 'slidingWindow' },
      ]);
      const stale = await set({ rules: [], whenStoreAway: 'refuse' }, { 'if-match': '"7"' });
      expect(stale.status).to.equal(412);
    });

    it('names the rule that is wrong, and what is wrong about it', async () => {
      const { status, body } = await set({ rules: [rule, rule], whenStoreAway: 'refuse' });
      expect(status).to.equal(400);
      expect(body.error).to.include({ code: 'invalid_request', param: 'rules.1.id' });
      expect((await set({ rules: [{ ...rule, amount: -1 }], whenStoreAway: 'refuse' })).status).to.equal(400);
      expect((await set({ rules: [rule] })).status, 'when the store is away is for an operator to decide').to.equal(400);
    });
  });

  describe('of the installation', () => {
    it('shows its state, and its read models', async () => {
      const { body: status } = await admin.get('/api/status');
      expect(status).to.include({ version: '1.2.3', profile: 'embedded' });
      expect(status.counts.pricedModels).to.equal(2);
      expect((await admin.get('/api/installation')).body).to.deep.equal({
        version: '1.2.3',
        apiBaseUrl: `http://127.0.0.1:${bench.port}/v1`,
        sandbox: false,
        quotaPerUsd: 500_000,
      });
      const { body: list } = await admin.get('/api/projections');
      expect(listed(list.rows).map(({ name }: any) => name as string)).to.include.members(['journal', 'users', 'channels']);
      expect((await admin.get('/api/parked')).body).to.deep.equal({ rows: [], nextCursor: null });
    });

    it('compares a read model with one made anew, and rebuilds it', async () => {
      const { body: compared } = await admin.post('/api/projections/journal/compare');
      expect(compared).to.include({ name: 'journal', equal: true });
      expect(compared.liveDigest).to.equal(compared.rebuiltDigest);
      expect((await admin.post('/api/projections/journal/rebuild')).status).to.equal(202);
      for (;;) {
        const { body } = await admin.get('/api/projections');
        const { lastRebuild } = listed(body.rows).find(({ name }: any) => name === 'journal');
        if (lastRebuild === null) continue;
        expect(lastRebuild.failure).to.equal(null);
        break;
      }
      expect(bench.failures).to.deep.equal([]);
      expect((await admin.post('/api/projections/nothing/rebuild')).status).to.equal(404);
    });

    it('shows events whole but for what is secret, and exports them', async () => {
      const { body: newest } = await admin.get('/api/events?limit=3');
      expect(listed(newest.rows).map(({ position }: any) => BigInt(position as string))).to.deep.equal(
        bench.log.events.slice(-3).map(({ position }) => position),
      );
      const { body: stream } = await admin.get(`/api/events?stream=user-${bench.firstRun.administratorId}`);
      expect(listed(stream.rows).map(({ type }: any) => type as string)).to.deep.equal(['Registered', 'CredentialsChanged']);
      expect(stream.rows[1].data.passwordHash).to.equal('••••••');
      const position = stream.rows[0].position as string;
      expect((await admin.get(`/api/events/${position}`)).body).to.deep.equal(stream.rows[0]);
      expect((await admin.get('/api/events/9999999')).status).to.equal(404);
      const { text, headers } = await admin.get('/api/events/export?category=token');
      expect(headers['content-type']).to.equal('application/x-ndjson; charset=utf-8');
      const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines).to.have.length(bench.eventsOf('token').length);
      expect(lines[0].data.keyHash).to.equal('••••••');
    });

    it('is described for machines', async () => {
      const { status, body } = await bench.client().get('/openapi.json');
      expect(status).to.equal(200);
      expect(body.openapi).to.equal('3.1.0');
      expect(body.info.version).to.equal('1.2.3');
    });
  });
});
