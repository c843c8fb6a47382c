import { expect } from 'chai';
import { once } from 'node:events';
import { runUserCommand } from '../../../commands/users/run-user-command.ts';
import { consoleBench, PASSWORD, type ConsoleBench, type ConsoleClient } from '../../support/console-bench.ts';
import { done } from '../../support/refused.ts';

const HOUR_MS = 3_600_000;

describe('signing in at the console', () => {
  let bench: ConsoleBench;
  before(async function () {
    this.timeout(120_000);
    bench = await consoleBench();
  });
  after(() => bench.close());

  const signedIn = async (client: ConsoleClient): Promise<boolean> => (await client.get('/api/session')).body.signedIn as boolean;

  it('gives a cookie that scripts and other sites do not get, and the token for changes', async () => {
    const client = bench.client();
    const answer = await client.signIn('ADMIN@example.com', bench.firstRun.adminPassword);
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    expect(cookie)
      .to.match(/^oblivious=s1\./)
      .and.include('HttpOnly')
      .and.include('SameSite=Strict')
      .and.include('Path=/')
      .and.not.include('Domain');
    expect(answer.body).to.include({ signedIn: true });
    expect(answer.body.user).to.deep.equal({
      userId: bench.firstRun.administratorId,
      email: 'admin@example.com',
      displayName: 'Administrator',
      role: 'admin',
      group: 'default',
    });
    expect((await client.get('/api/session')).body.csrfToken).to.equal(answer.body.csrfToken);
  });

  it('says the same to a wrong password and to an unknown address', async () => {
    const answers = await Promise.all(
      [
        ['admin@example.com', 'not the password'],
        ['nobody@example.com', 'not the password'],
      ].map(([email, password]) => bench.client().post('/api/session', { email, password })),
    );
    const [known, unknown] = answers.map(({ status, body, headers }) => ({
      status,
      code: body.error.code,
      message: body.error.message,
      cookie: headers['set-cookie'],
    }));
    expect(known).to.deep.equal({
      status: 401,
      code: 'wrong_credentials',
      message: 'The e-mail address or the password is wrong.',
      cookie: undefined,
    });
    expect(unknown).to.deep.equal(known);
  });

  it('ends where the person signs out, and a copy of the cookie is worth nothing then', async () => {
    const client = await bench.admin();
    const copy = bench.client();
    copy.cookie = client.cookie;
    expect(await signedIn(copy)).to.equal(true);
    const { headers } = await client.call('DELETE', '/api/session');
    expect(headers['set-cookie']?.[0]).to.match(/^oblivious=;.*Max-Age=0/);
    expect(await signedIn(client)).to.equal(false);
    expect(await signedIn(copy)).to.equal(false);
  });

  it('is told to the suspended only when they know their password, and ends at once', async () => {
    const person = await bench.person('suspended@example.com');
    done(await runUserCommand(bench, person.userId, { kind: 'suspend', reason: 'test' }, bench.context()));
    expect((await person.get('/api/account')).status).to.equal(401);
    const attempt = async (password: string) =>
      (await bench.client().post('/api/session', { email: 'suspended@example.com', password })).body.error.code as string;
    expect(await attempt('not the password')).to.equal('wrong_credentials');
    expect(await attempt(PASSWORD)).to.equal('user_suspended');
  });

  it('ends with the password that it began with, but for the session that changed it', async () => {
    const here = await bench.person('mover@example.com');
    const elsewhere = bench.client();
    await elsewhere.signIn('mover@example.com', PASSWORD);
    const change = (currentPassword: string, newPassword: string) =>
      here.call('PUT', '/api/account/password', { body: { currentPassword, newPassword } });
    expect((await change('not the password', 'a better pass phrase')).body.error).to.include({
      code: 'wrong_credentials',
      param: 'currentPassword',
    });
    expect((await change(PASSWORD, 'password123')).body.error).to.include({ code: 'weak_password', param: 'newPassword' });
    const changed = await change(PASSWORD, 'a better pass phrase');
    expect(changed.status).to.equal(200);
    here.csrf = changed.body.csrfToken as string;
    expect(await signedIn(elsewhere)).to.equal(false);
    expect(await signedIn(here)).to.equal(true);
    expect((await here.post('/api/keys', { name: 'after the change' })).status).to.equal(201);
    expect((await bench.client().signIn('mover@example.com', PASSWORD)).status).to.equal(401);
    expect((await bench.client().signIn('mover@example.com', 'a better pass phrase')).status).to.equal(200);
  });

  it('ends when an administrator resets the password', async () => {
    const person = await bench.person('reset@example.com');
    const admin = await bench.admin();
    const { body } = await admin.post(`/api/users/${person.userId}/password`);
    expect(await signedIn(person)).to.equal(false);
    expect((await bench.client().signIn('reset@example.com', body.password as string)).status).to.equal(200);
  });

  it('follows a change of role from the next call on', async () => {
    const person = await bench.person('promoted@example.com');
    expect((await person.get('/api/users')).status).to.equal(403);
    done(await runUserCommand(bench, person.userId, { kind: 'assignRole', role: 'admin' }, bench.context()));
    expect((await person.get('/api/users')).status).to.equal(200);
    done(await runUserCommand(bench, person.userId, { kind: 'assignRole', role: 'user' }, bench.context()));
    expect((await person.get('/api/users')).status).to.equal(403);
  });

  it('takes live streams with it where it ends or the role changes, without waiting for anything to happen', async function () {
    this.timeout(10_000);
    const opened = async (client: ConsoleClient, path: string): Promise<{ readonly ended: Promise<void> }> => {
      const response = await client.open('GET', path);
      expect(response.statusCode, path).to.equal(200);
      return { ended: once(response.resume(), 'end').then(() => undefined) };
    };
    const [demoted, suspended, leaving] = [
      await bench.person('demoted@example.com', 'admin'),
      await bench.person('stopped@example.com'),
      await bench.person('leaving@example.com'),
    ];
    const streams = [
      await opened(demoted, '/api/events/live'),
      await opened(demoted, '/api/requests/live?scope=all'),
      await opened(suspended, '/api/requests/live'),
      await opened(leaving, '/api/requests/live'),
    ];
    done(await runUserCommand(bench, demoted.userId, { kind: 'assignRole', role: 'user' }, bench.context()));
    done(await runUserCommand(bench, suspended.userId, { kind: 'suspend', reason: 'test' }, bench.context()));
    await leaving.call('DELETE', '/api/session');
    await Promise.all(streams.map(({ ended }) => ended));
    expect((await demoted.get('/api/events/live')).status, 'begun anew').to.equal(403);
  });

  it('ends after twelve hours without use, and after a week in any case', async () => {
    const idle = await bench.admin();
    const busy = await bench.admin();
    bench.pass(6 * HOUR_MS);
    expect((await busy.get('/api/session')).headers['set-cookie']?.[0], 'a used session is renewed').to.match(/^oblivious=s1/);
    expect((await busy.get('/api/session')).headers['set-cookie'], 'but not with every call').to.equal(undefined);
    bench.pass(6 * HOUR_MS);
    expect(await signedIn(idle)).to.equal(false);
    expect(await signedIn(busy)).to.equal(true);
    for (let halfDays = 2; halfDays < 14; halfDays++) {
      expect(await signedIn(busy), `half day ${halfDays}`).to.equal(true);
      bench.pass(11.9 * HOUR_MS);
    }
    bench.pass(2 * HOUR_MS);
    expect(await signedIn(busy)).to.equal(false);
  });

  it('is not done by a cookie that was made up or altered', async () => {
    const client = await bench.admin();
    const cookie = client.cookie ?? '';
    for (const forged of [
      'oblivious=',
      'oblivious=s1.x.y.0.0.9999999999999.z',
      cookie.replace(/\.(\d+)\.([^.]*)$/, '.9999999999999.$2'),
      cookie.slice(0, -1),
    ]) {
      client.cookie = forged;
      expect(await signedIn(client), forged).to.equal(false);
    }
  });

  it('slows down whoever guesses, for the account and for the address, and forgets when it is right', async () => {
    await bench.person('guessed@example.com');
    const attempt = (password: string) => bench.client().post('/api/session', { email: 'guessed@example.com', password });
    for (let guess = 0; guess < 4; guess++) expect((await attempt('wrong')).status).to.equal(401);
    expect((await attempt(PASSWORD)).status, 'five are free').to.equal(200);
    for (let guess = 0; guess < 5; guess++) expect((await attempt('wrong')).status).to.equal(401);
    const held = await attempt(PASSWORD);
    expect(held.status).to.equal(429);
    expect(held.body.error.code).to.equal('rate_limited');
    expect(held.headers['retry-after']).to.equal('1');
    bench.pass(1_000);
    expect((await attempt(PASSWORD)).status).to.equal(200);
  });
});
