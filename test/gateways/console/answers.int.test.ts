import { expect } from 'chai';
import { consoleBench, type ConsoleBench, type ConsoleClient } from '../../support/console-bench.ts';

describe('answers of the console’s API', () => {
  let bench: ConsoleBench;
  let admin: ConsoleClient;
  before(async function () {
    // Making the first embedded database of a run takes long on a busy machine.
    this.timeout(120_000);
    bench = await consoleBench();
    admin = await bench.admin();
  });
  after(() => bench.close());

  it('carry a request id, which is in the log and in a refusal’s body', async () => {
    const { headers, body } = await admin.get('/api/users/usr_none');
    expect(headers['x-request-id']).to.match(/^req_/);
    expect(body.error.requestId).to.equal(headers['x-request-id']);
    expect(bench.lines.find(({ requestId }) => requestId === headers['x-request-id'])).to.include({
      method: 'GET',
      route: '/api/users/{userId}',
      status: 404,
      errorCode: 'not_found',
    });
  });

  it('are logged once each, with nothing secret', async () => {
    const before = bench.lines.length;
    await bench.client().post('/api/session', { email: 'admin@example.com', password: 'wrong password' });
    await admin.post('/api/keys', { name: 'logged' });
    expect(bench.lines.slice(before).map(({ status }) => status)).to.deep.equal([401, 201]);
    expect(JSON.stringify(bench.lines)).not.to.include('wrong password').and.not.to.include('sk-ob-').and.not.to.include('admin@');
  });

  it('are not to be stored, framed or guessed at', async () => {
    const { headers } = await admin.get('/api/session');
    expect(headers['cache-control']).to.equal('no-store');
    expect(headers['content-security-policy']).to.include("default-src 'none'").and.include("frame-ancestors 'none'");
    expect(headers['x-content-type-options']).to.equal('nosniff');
    expect(headers['strict-transport-security']).to.equal(undefined);
  });

  it('say which field is at fault', async () => {
    const long = 'x'.repeat(101);
    expect((await admin.post('/api/keys', { name: long })).body.error).to.include({ code: 'invalid_request', param: 'name' });
    const { body: badRange } = await admin.post('/api/keys', { name: 'a', restrictions: { addresses: ['10.0.0.0/33'] } });
    expect(badRange.error.param).to.match(/^restrictions\.addresses\.0/);
    expect(badRange.error.message).to.include('10.0.0.0/8');
    expect((await admin.post('/api/users/usr_x/credit', { amount: '1.5', reason: 'x' })).body.error.param).to.equal('amount');
    expect((await admin.get('/api/requests?limit=1000')).body.error.param).to.equal('limit');
    expect((await admin.get('/api/requests?from=yesterday')).body.error.param).to.equal('from');
    for (const [name, value] of [
      ['type', 'Quota%20Debited'],
      ['type', '%00'],
      ['category', 'no-such'],
      ['category', '%00'],
      ['stream', 'account-%00'],
    ] as const)
      expect((await admin.get(`/api/events?${name}=${value}`)).body.error, value).to.include({ code: 'invalid_request', param: name });
  });

  it('refuse a body that is no JSON, says it is something else, or does not end', async () => {
    const post = (rawBody: string, headers = {}) => admin.call('POST', '/api/keys', { rawBody, headers });
    expect((await post('{"name":')).body.error.code).to.equal('invalid_json');
    expect(await post('name=x', { 'content-type': 'application/x-www-form-urlencoded' })).to.include({ status: 415 });
    const tooLarge = await post(JSON.stringify({ name: 'x'.repeat(3_000_000) }));
    expect(tooLarge).to.include({ status: 413 });
    expect(tooLarge.headers.connection, 'what follows on this connection is the rest of the body').to.equal('close');
    expect((await admin.get('/api/session')).status).to.equal(200);
  });

  it('refuse what is no text, which no read model could hold', async () => {
    const post = (rawBody: string | Buffer) => admin.call('POST', '/api/keys', { rawBody });
    for (const name of ['a\\u0000b', '\\ud800', '\\udfff', '\\ud800\\ud83d\\ude00']) {
      const { status, body } = await post(`{"name":"${name}"}`);
      expect([status, body.error.code], name).to.deep.equal([400, 'invalid_json']);
    }
    expect((await post(Buffer.from('7b226e616d65223a22ff227d', 'hex'))).body.error.message).to.include('UTF-8');
    const { body } = await post('{"name":"\\ud83d\\ude00 \\\\u0000 \\n"}');
    const page = await admin.get(`/api/keys?after=${body.position}&limit=1`);
    expect(page.body.rows[0].name).to.equal('😀 \\u0000');
  });

  it('find nothing at an address that is not valid percent-encoding, and say so in their own way', async () => {
    const { status, body, headers } = await admin.get('/api/users/%zz');
    expect(status).to.equal(404);
    expect(body.error).to.include({ code: 'not_found', requestId: headers['x-request-id'] });
  });

  it('tell of a write to whoever asks after its position', async () => {
    for (let index = 0; index < 5; index++) {
      const { body } = await admin.post('/api/keys', { name: `own write ${index}` });
      const { body: page } = await admin.get(`/api/keys?after=${body.position}&limit=1`);
      expect(page.rows[0].name).to.equal(`own write ${index}`);
    }
  });

  it('say that a read model is behind rather than show the past', async function () {
    this.timeout(15_000);
    const { status, body, headers } = await admin.get('/api/keys?after=999999999');
    expect(status).to.equal(503);
    expect(body.error.code).to.equal('read_model_behind');
    expect(headers['retry-after']).to.equal('1');
  });

  it('do a request that comes again with the same Idempotency-Key once', async () => {
    const create = (email: string, key: string) =>
      admin.post('/api/users', { email, displayName: 'Twice', password: 'between the lines' }, { 'idempotency-key': key });
    const grant = (key: string) =>
      admin.post(`/api/users/${bench.firstRun.administratorId}/credit`, { amount: '1000', reason: 'twice' }, { 'idempotency-key': key });
    const [first, again] = [await grant('g1'), await grant('g1')];
    expect(first.status).to.equal(200);
    expect(again.body).to.deep.equal(first.body);
    expect((await grant('g2')).body.position).not.to.equal(first.body.position);
    expect((await create('twice@example.com', 'u1')).status).to.equal(201);
    const events = bench.log.events.length;
    expect((await create('twice@example.com', 'u1')).status).to.equal(409);
    expect(bench.log.events.length, 'nothing but the refusal came of it').to.equal(events);
    expect((await grant('x'.repeat(81))).body.error.param).to.equal('Idempotency-Key');
  });

  it('refuse a change of what has moved on since it was seen', async () => {
    const { body: made } = await admin.post('/api/keys', { name: 'seen' });
    const { body: key, headers } = await admin.get(`/api/keys/${made.tokenId}?after=${made.position}`);
    expect(headers.etag).to.equal(`"${key.revision}"`);
    const rename = (name: string, revision: string) =>
      admin.call('PATCH', `/api/keys/${made.tokenId}`, { body: { name }, headers: { 'if-match': revision } });
    expect((await rename('renamed', `"${key.revision}"`)).status).to.equal(200);
    const { status, body } = await rename('again', `"${key.revision}"`);
    expect(status).to.equal(412);
    expect(body.error.code).to.equal('revision_mismatch');
    expect((await rename('again', '"x"')).status).to.equal(400);
    expect((await rename('again', '*')).status).to.equal(200);
  });

  it('are 503 while the log cannot be reached, and nothing is recorded', async () => {
    const events = bench.log.events.length;
    bench.log.cut();
    try {
      const { status, body } = await admin.post('/api/keys', { name: 'lost' });
      expect(status).to.equal(503);
      expect(body.error.code).to.equal('log_unavailable');
    } finally {
      bench.log.mend();
    }
    expect(bench.log.events.length).to.equal(events);
    expect((await admin.post('/api/keys', { name: 'found' })).status).to.equal(201);
  });
});
