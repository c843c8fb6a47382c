import { expect } from 'chai';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hookWorker } from '../../../../gateways/relay/tasks/hook-worker.ts';
import { createEgressGuard } from '../../../../infra/egress/guard.ts';
import { parseEgressPolicy, type EgressPolicy } from '../../../../infra/egress/policy.ts';
import type { ReadModels } from '../../../../infra/read-models/read-models.ts';
import { hookPost, type ClosableHookPost } from '../../../../infra/webhook/hook-post.ts';
import { webhookSignature } from '../../../../infra/webhook/webhook-signature.ts';
import { workerCare } from '../../../../infra/workers/worker-care.ts';
import { isRefusal } from '../../../../schemas/errors.ts';
import { TaskId } from '../../../../schemas/ids.ts';
import type { Money } from '../../../../schemas/money.ts';
import { wallClock } from '../../../support/projecting.ts';
import { emptyReadModels } from '../../../support/read-models.ts';
import { startWorking, type Working } from '../../../support/working.ts';
import { json } from '../endpoints/endpoint-upstream.ts';
import { channel, KEY } from '../relay-harness.ts';
import { startTaskRelay, type TaskRig } from './task-rig.ts';
import { startTaskUpstream, type TaskUpstream } from './task-upstream.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const CALL = 50_000_000n as Money;
const CREDIT = 10_000_000_000n;
const PATH = '/told?token=s3cret-of-the-caller';

describe('hooks of tasks', function () {
  this.timeout(120_000);
  let models: ReadModels;
  let upstream: TaskUpstream;
  let rig: TaskRig;
  let receiver: Server;
  let received: Received[];
  let answer: (nth: number) => { readonly status: number; readonly location?: string };
  const working: Working[] = [];
  const posts: ClosableHookPost[] = [];

  before(async () => {
    upstream = await startTaskUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    models = await emptyReadModels();
    upstream.reset();
    rig = await startTaskRelay();
    const { directory } = rig.relay;
    directory.channels = [
      channel(upstream.url, { provider: 'kling', models: ['kling-v2'], keys: ['access|secret'] }),
      channel(upstream.url, { provider: 'suno', models: ['suno_music'], keys: ['sk-suno'] }),
      channel(upstream.url, { provider: 'midjourney-proxy', models: ['mj_imagine', 'mj_upscale'], keys: ['mj-secret'] }),
    ];
    directory.prices.set('kling-v2', { model: 'kling-v2', kind: 'video', rates: { second: CALL } });
    for (const model of ['suno_music', 'mj_imagine', 'mj_upscale'])
      directory.prices.set(model, { model, kind: 'other', rates: { call: CALL } });
    received = [];
    answer = () => ({ status: 200 });
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ path: String(request.url), headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
        const { status, location } = answer(received.length);
        response.writeHead(status, location === undefined ? {} : { location });
        response.end(status >= 300 ? `Cannot POST ${String(request.url)}` : undefined);
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await Promise.all(working.splice(0).map((each) => each.stop()));
    await Promise.all(posts.splice(0).map((each) => each.close()));
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
    await rig.relay.idle();
    await rig.close();
  });

  const origin = (): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const start = (allowed = 'loopback', policy: Parameters<typeof startWorking>[0]['policy'] = {}): Working => {
    const post = hookPost({ guard: createEgressGuard(parseEgressPolicy(allowed) as EgressPolicy), clock: wallClock });
    posts.push(post);
    const worker = { ...hookWorker({ desk: rig.desk, secrets: rig.desk.secrets, post }), from: 'start' as const };
    const started = startWorking({ log: rig.ledger.log, database: models.database, workers: [worker], policy });
    working.push(started);
    return started;
  };
  const parked = async () =>
    (
      await workerCare({ workers: [], feed: rig.ledger.log, database: models.database, clock: wallClock }).parked(
        {},
        { cursor: undefined, limit: 10 },
      )
    ).rows;
  const doneOf = ({ counts }: Working): number => counts.filter((count) => count.endsWith(' done')).length;
  const submit = async (path: string, body: object): Promise<{ readonly headers: Headers; readonly said: Record<string, unknown> }> => {
    const response = await fetch(`${rig.relay.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).to.equal(200);
    return { headers: response.headers, said: (await response.json()) as Record<string, unknown> };
  };
  /** As the poller does, whoever has looked before. */
  const poll = async (id: string): Promise<void> => {
    const task = await rig.desk.read(TaskId.parse(id));
    if (isRefusal(task)) throw new Error(task.message);
    await rig.desk.refresh(task);
  };
  const song = async (): Promise<string> => {
    upstream.on('/suno/submit/music', json({ code: 'success', message: '', data: 'song-1' }));
    return String((await submit('/suno/submit/music', { prompt: 'la', notify_hook: `${origin()}${PATH}` })).said['data']);
  };
  const sung = (status = 'SUCCESS'): void =>
    upstream.on(
      '/suno/fetch/song-1',
      json({ code: 'success', message: '', data: { task_id: 'song-1', status, data: [{ audio_url: 'https://songs.example/1.mp3' }] } }),
    );

  it('tell Kling’s callers of each step and once of the end, signed, in Kling’s words, and the upstream nothing of it', async () => {
    const at = (status: string, more: object = {}): object => ({ code: 0, data: { task_id: '867', task_status: status, ...more } });
    upstream.on('/v1/videos/text2video', json(at('submitted')));
    const { headers, said } = await submit('/kling/v1/videos/text2video', {
      model_name: 'kling-v2',
      prompt: 'a sea',
      callback_url: `${origin()}${PATH}`,
    });
    const secret = String(headers.get('x-oblivious-hook-secret'));
    const { task_id: id } = said['data'] as { readonly task_id: string };
    expect(String(upstream.calls[0]?.body)).to.not.contain('callback_url').and.not.contain('token=');
    const recorded = JSON.stringify(rig.ledger.log.events.map(({ data }) => data));
    expect(recorded).to.contain('env1.').and.not.contain('s3cret').and.not.contain(secret);

    const works = start();
    upstream.on('/v1/videos/text2video/867', json(at('processing')));
    await poll(id);
    await works.until('the step is told', () => received.length === 1);
    upstream.on('/v1/videos/text2video/867', json(at('succeed', { task_result: { videos: [{ url: 'https://films.example/1.mp4' }] } })));
    await poll(id);
    await poll(id);
    await works.until('the end is told', () => doneOf(works) === 2);

    expect(received.map(({ path }) => path)).to.deep.equal([PATH, PATH]);
    const [step, end] = received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(step).to.include({ task_id: id, task_status: 'processing' });
    expect(end).to.deep.include({
      task_id: id,
      task_status: 'succeed',
      task_result: { videos: [{ url: 'https://films.example/1.mp4' }] },
    });
    for (const { headers: told, body } of received) {
      const [messageId, seconds] = [String(told['webhook-id']), Number(told['webhook-timestamp'])];
      expect(told['webhook-signature']).to.equal(webhookSignature(secret, messageId, seconds, body));
      expect(told['idempotency-key']).to.equal(messageId);
    }
    expect(received[0]?.headers['webhook-id']).to.not.equal(received[1]?.headers['webhook-id']);
  });

  it('are told again until they take it, under one id, and of Suno’s the end alone', async () => {
    const id = await song();
    expect(upstream.calls[0]?.body.toString()).to.equal('{"prompt":"la"}');
    answer = (nth) => ({ status: nth < 3 ? 503 : 200 });
    sung('IN_PROGRESS');
    await poll(id);
    sung();
    await poll(id);
    const works = start();
    await works.until('both are done', () => doneOf(works) === 2);
    expect(received.map(({ headers }) => headers['webhook-id'])).to.deep.equal(Array(3).fill(received[0]?.headers['webhook-id']));
    expect(JSON.parse(String(received[2]?.body))).to.deep.include({
      task_id: id,
      status: 'SUCCESS',
      data: [{ audio_url: 'https://songs.example/1.mp3' }],
    });
  });

  it('wait for an upstream that does not say what it made', async () => {
    const id = await song();
    sung();
    await poll(id);
    upstream.on('/suno/fetch/song-1', (res) => void res.writeHead(503).end());
    const works = start('loopback', { retry: { firstMs: 5, factor: 2, longestMs: 50, attempts: 1_000 } });
    await works.until('it fails', () => works.counts.includes('task-hooks failed'));
    sung();
    await works.until('it is told', () => received.length === 1);
    expect(JSON.parse(String(received[0]?.body))).to.deep.include({ data: [{ audio_url: 'https://songs.example/1.mp3' }] });
  });

  it('say at the last attempt that it was made, when the upstream says no more', async () => {
    const id = await song();
    sung();
    await poll(id);
    upstream.on('/suno/fetch/song-1', (res) => void res.writeHead(503).end());
    const works = start();
    await works.until('it is told', () => doneOf(works) === 1);
    expect(JSON.parse(String(received[0]?.body))).to.include({ task_id: id, status: 'SUCCESS' });
    expect(received).to.have.length(1);
  });

  it('tell callers in the common words of the end, as asking would show it', async () => {
    const at = (status: string, more: object = {}): object => ({ code: 0, data: { task_id: '868', task_status: status, ...more } });
    upstream.on('/v1/videos/text2video', json(at('submitted')));
    const { said } = await submit('/v1/video/generations', { model: 'kling-v2', prompt: 'a sea', callback_url: `${origin()}${PATH}` });
    expect(String(upstream.calls[0]?.body)).to.not.contain('token=');
    const id = String(said['task_id']);
    upstream.on('/v1/videos/text2video/868', json(at('processing')));
    await poll(id);
    upstream.on('/v1/videos/text2video/868', json(at('failed', { task_status_msg: 'banned' })));
    await poll(id);
    await poll(id);
    const works = start();
    await works.until('both are done', () => doneOf(works) === 2);
    const asked = await fetch(`${rig.relay.url}/v1/video/generations/${id}`, { headers: { authorization: `Bearer ${KEY}` } });
    const shown = (await asked.json()) as object;
    expect(shown).to.include({ task_id: id, status: 'failed' });
    expect(received.map(({ body }) => JSON.parse(body) as object)).to.deep.equal([shown]);
  });

  it('are refused where they lead inside, before anything is asked for, in the same words as names that are none', async () => {
    const where = [
      ['/kling/v1/videos/text2video', { model_name: 'kling-v2', prompt: 'a sea' }, 'callback_url'],
      ['/v1/video/generations', { model: 'kling-v2', prompt: 'a sea' }, 'callback_url'],
      ['/suno/submit/music', { prompt: 'la' }, 'notify_hook'],
      ['/mj/submit/imagine', { prompt: 'a cat' }, 'notifyHook'],
    ] as const;
    const hooks = ['http://10.0.0.8/x', 'http://[fd00::1]/x', 'http://169.254.169.254/latest', 'https://ledger.inside.example/x'];
    for (const [path, body, name] of where)
      for (const hook of hooks) {
        const response = await fetch(`${rig.relay.url}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
          body: JSON.stringify({ ...body, [name]: hook }),
        });
        expect(response.status, `${path} ${hook}`).to.equal(400);
        expect(await response.text())
          .to.contain(`${name}: this address cannot be called from here.`)
          .and.not.contain('inside.example')
          .and.not.contain('OBLIVIOUS_');
      }
    expect(upstream.calls).to.have.length(0);
    expect(await rig.balance()).to.equal(CREDIT);
  });

  it('lead nowhere by redirects, and what went wrong says nothing of the address', async () => {
    const id = await song();
    sung();
    await poll(id);
    answer = () => ({ status: 302, location: `${origin()}/inside` });
    const works = start();
    await works.until('it is parked', async () => (await parked()).length === 1);
    expect(received.map(({ path }) => path)).to.deep.equal([PATH, PATH, PATH]);
    expect((await parked())[0]).to.include({ worker: 'task-hooks', attempts: 3, error: 'upstream_failed: The hook answered 302.' });
    expect(JSON.stringify(works.reports)).to.not.contain('s3cret');
  });

  it('are not told where the egress rules do not allow', async () => {
    const id = await song();
    sung();
    await poll(id);
    const works = start('none');
    await works.until('it is parked', async () => (await parked()).length === 1);
    expect((await parked())[0]).to.include({ error: 'upstream_failed: The hook points to an address that is off limits.' });
    expect(received).to.have.length(0);
  });

  it('are left alone when nobody wants it any more: gone at the receiver, or deleted here', async () => {
    const gone = await song();
    sung();
    await poll(gone);
    answer = () => ({ status: 410 });
    const works = start();
    await works.until('it is done', () => doneOf(works) === 1);
    expect(received).to.have.length(1);

    const deleted = await song();
    await works.stop();
    await poll(deleted);
    const task = await rig.desk.read(TaskId.parse(deleted));
    if (isRefusal(task)) throw new Error(task.message);
    await rig.desk.delete(task.submission.userId, task);
    const again = start();
    await again.until('it is done', () => doneOf(again) === 1);
    expect(received).to.have.length(1);
  });

  it('tell Midjourney’s callers of failures, and steps that a receiver does not take are told once', async () => {
    upstream.on('/mj/submit/imagine', json({ code: 1, description: '', result: '1320' }));
    const asked = { prompt: 'a cat', state: 'mine', notifyHook: `${origin()}${PATH}` };
    const id = String((await submit('/mj/submit/imagine', asked)).said['result']);
    expect(JSON.parse(String(upstream.calls[0]?.body))).to.deep.equal({ prompt: 'a cat', state: 'mine' });
    const works = start();
    answer = (nth) => ({ status: nth === 1 ? 500 : 200 });
    upstream.on('/mj/task/1320/fetch', json({ id: '1320', status: 'IN_PROGRESS', progress: '30%' }));
    await poll(id);
    await works.until('the step is done', () => doneOf(works) === 1);
    upstream.on('/mj/task/1320/fetch', json({ id: '1320', status: 'FAILURE', failReason: 'banned' }));
    await poll(id);
    await works.until('the end is done', () => doneOf(works) === 2);
    const [step, end] = received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(received).to.have.length(2);
    expect(step).to.include({ id, status: 'IN_PROGRESS', progress: '30%' });
    expect(end).to.include({ id, status: 'FAILURE', failReason: 'banned' });
  });
});
