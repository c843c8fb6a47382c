import { expect } from 'chai';
import OpenAI, { toFile } from 'openai';
import type { Money } from '../../../../schemas/money.ts';
import type { TokenId, UserId } from '../../../../schemas/ids.ts';
import { checkLedger } from './checked-ledger.ts';
import { json } from '../endpoints/endpoint-upstream.ts';
import { channel, KEY } from '../relay-harness.ts';
import { startTaskRelay, type TaskRig } from './task-rig.ts';
import { bytes, startTaskUpstream, type TaskUpstream } from './task-upstream.ts';

const CREDIT = 10_000_000_000n;
/** Ten cents a second. */
const SECOND = 100_000_000n;

const video = (id: string, more: object = {}): object => ({
  id,
  object: 'video',
  created_at: 1,
  completed_at: null,
  expires_at: null,
  status: 'queued',
  progress: 0,
  model: 'sora-2-upstream',
  prompt: 'a cat',
  seconds: '8',
  size: '1280x720',
  remixed_from_video_id: null,
  error: null,
  ...more,
});

describe('videos of OpenAI’s API', () => {
  let upstream: TaskUpstream;
  let rig: TaskRig;
  let client: OpenAI;

  before(async () => {
    upstream = await startTaskUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    rig = await startTaskRelay({ credit: Number(CREDIT) });
    rig.relay.directory.channels = [channel(`${upstream.url}/v1`, { models: ['sora-2=sora-2-upstream'], keys: ['sk-1', 'sk-2'] })];
    rig.relay.directory.prices.set('sora-2', { model: 'sora-2', kind: 'video', rates: { second: SECOND as Money } });
    client = new OpenAI({ apiKey: KEY, baseURL: rig.relay.baseUrl, maxRetries: 0 });
    upstream.on('/v1/videos', json(video('video_up')));
  });
  afterEach(async () => {
    await rig.relay.idle();
    await rig.close();
    await checkLedger(rig.ledger.log);
  });

  const create = () => client.videos.create({ model: 'sora-2', prompt: 'a cat', seconds: '8', size: '1280x720' });
  const now = (status: string, more: object = {}): void => {
    rig.clock.now += 5_000;
    upstream.on('/v1/videos/video_up', json(video('video_up', { status, ...more })));
  };

  it('are made, looked at until they are done, and read', async () => {
    const made = await create();
    expect(made.id).to.match(/^task_/);
    expect(made).to.include({ object: 'video', status: 'queued', model: 'sora-2', seconds: '8', size: '1280x720', progress: 0 });
    expect(upstream.calls[0]?.body.toString()).to.contain('sora-2-upstream').and.not.contain('sora-2\r\n');

    now('in_progress', { progress: 33 });
    expect(await client.videos.retrieve(made.id)).to.include({ id: made.id, status: 'in_progress', progress: 33, prompt: 'a cat' });
    now('completed', { progress: 100, expires_at: 99 });
    expect(await client.videos.retrieve(made.id)).to.include({ status: 'completed', progress: 100, expires_at: 99, model: 'sora-2' });

    const file = Buffer.from('the film'.repeat(1_000));
    upstream.on('/v1/videos/video_up/content', bytes(file, 'video/mp4'));
    upstream.on('/v1/videos/video_up/content?variant=thumbnail', bytes(Buffer.from('small'), 'image/webp'));
    const content = await client.videos.downloadContent(made.id);
    expect(content.headers.get('content-type')).to.equal('video/mp4');
    expect(Buffer.from(await content.arrayBuffer()).equals(file)).to.equal(true);
    expect(await (await client.videos.downloadContent(made.id, { variant: 'thumbnail' })).text()).to.equal('small');

    // All that is asked about it goes where it was taken, with the key that it was taken for.
    const keys = new Set(upstream.calls.map(({ headers }) => headers.authorization));
    expect(keys.size).to.equal(1);
    expect(await rig.balance()).to.equal(CREDIT - 8n * SECOND);
    expect(rig.documents()[0]).to.include({ status: 'succeeded', percent: 100, refunded: null, open: false });
    expect(JSON.stringify(made)).to.not.contain('video_up');
  });

  it('are asked for in forms with a picture, in JSON, and with no model at all', async () => {
    await client.videos.create({ model: 'sora-2', prompt: 'a cat', input_reference: await toFile(Buffer.from('pic'), 'a.png') });
    expect(upstream.calls[0]?.headers['content-type']).to.match(/^multipart\/form-data/);
    expect(upstream.calls[0]?.body.toString()).to.contain('filename="a.png"');
    expect((await rig.relay.post('/v1/videos', { model: 'sora-2', prompt: 'a dog', seconds: 12 })).status).to.equal(200);
    expect(JSON.parse(String(upstream.calls[1]?.body))).to.deep.equal({ model: 'sora-2-upstream', prompt: 'a dog', seconds: 12 });
    expect((await rig.relay.post('/v1/videos', { prompt: 'a dog' })).status).to.equal(200);
    expect(JSON.parse(String(upstream.calls[2]?.body))).to.deep.equal({ model: 'sora-2-upstream', prompt: 'a dog', seconds: '4' });
    await client.videos.create({ prompt: 'a bird' });
    expect(upstream.calls[3]?.body.toString()).to.contain('sora-2-upstream').and.contain('a bird');
    expect(await rig.balance()).to.equal(CREDIT - (4n + 12n + 4n + 4n) * SECOND);
  });

  it('are paid back once when they fail, whoever hears of it first', async () => {
    const { id } = await create();
    now('failed', { error: { code: 'moderation_blocked', message: 'Not that.' } });
    const task = await rig.desk.own(rig.ledger.events('TaskSubmitted')[0]?.userId as UserId, id);
    if ('refused' in task) throw new Error(task.message);
    await Promise.all([
      client.videos.retrieve(id),
      client.videos.retrieve(id),
      rig.anotherDesk().refresh(task),
      rig.anotherDesk().refresh(task),
      rig.anotherDesk().report(task.submission, { status: 'failed', code: 'x', reason: 'said by a callback' }),
    ]);
    const failed = await client.videos.retrieve(id);
    expect(failed.status).to.equal('failed');
    expect(failed.error?.code).to.be.oneOf(['moderation_blocked', 'x']);
    expect(rig.ledger.events('TaskFailed')).to.have.length(1);
    expect(rig.ledger.events('ChargeRefunded').map(({ amount }) => amount)).to.deep.equal([8n * SECOND]);
    expect(await rig.balance()).to.equal(CREDIT);
    expect(rig.documents()[0]).to.include({ status: 'failed', refunded: 8n * SECOND, open: false });
    // Late good news changes nothing.
    now('completed');
    expect((await client.videos.retrieve(id)).status).to.equal('failed');
  });

  it('are given up after a day, and paid back', async () => {
    const { id } = await create();
    now('in_progress');
    rig.clock.now += 86_400_000;
    expect(await client.videos.retrieve(id)).to.deep.include({
      status: 'failed',
      error: { code: 'expired', message: 'Nothing was heard of its end in time.' },
    });
    expect(await rig.balance()).to.equal(CREDIT);
  });

  it('are failed when the upstream has lost them, but not when it is only slow to know them', async () => {
    const { id } = await create();
    rig.clock.now += 5_000;
    upstream.on('/v1/videos/video_up', json({ error: { message: 'who?' } }, 404));
    expect((await client.videos.retrieve(id)).status).to.equal('queued');
    rig.clock.now += 600_000;
    expect((await client.videos.retrieve(id)).error?.code).to.equal('lost');
    expect(await rig.balance()).to.equal(CREDIT);
  });

  it('stay as they are while the upstream cannot be asked', async () => {
    const { id } = await create();
    rig.clock.now += 5_000;
    upstream.on('/v1/videos/video_up', (res) => res.destroy());
    expect((await client.videos.retrieve(id)).status).to.equal('queued');
    upstream.on('/v1/videos/video_up', json('nonsense', 500));
    rig.clock.now += 5_000;
    expect((await client.videos.retrieve(id)).status).to.equal('queued');
    rig.relay.directory.channels = [];
    rig.clock.now += 5_000;
    expect((await client.videos.retrieve(id)).status).to.equal('queued');
    expect(rig.ledger.types('task')).to.deep.equal(['TaskSubmitted']);
  });

  it('are made anew by the channel and the key that made the first', async () => {
    const { id } = await create();
    rig.relay.directory.channels = [channel('http://127.0.0.1:9/v1', { models: ['sora-2'], priority: 9 }), ...rig.relay.directory.channels];
    upstream.on('/v1/videos/video_up/remix', json(video('video_two', { remixed_from_video_id: 'video_up' })));
    const remix = await client.videos.remix(id, { prompt: 'with a hat' });
    expect(remix.remixed_from_video_id).to.equal(id);
    expect(remix.id).to.not.equal(id);
    const [first, second] = upstream.calls;
    expect(second?.headers.authorization).to.equal(first?.headers.authorization);
    expect(JSON.parse(String(second?.body))).to.deep.equal({ prompt: 'with a hat' });
    expect(await rig.balance()).to.equal(CREDIT - 16n * SECOND);
  });

  it('are listed, page by page, and are gone once deleted', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) ids.push((await create()).id);
    const first = await client.videos.list({ limit: 2 });
    expect(first.data.map(({ id }) => id)).to.deep.equal([ids[2], ids[1]]);
    expect(first.has_more).to.equal(true);
    const all: string[] = [];
    for await (const { id } of client.videos.list({ limit: 1, order: 'asc' })) all.push(id);
    expect(all).to.deep.equal(ids);

    const [one = ''] = ids;
    expect(await client.videos.delete(one).catch((error: unknown) => error)).to.include({ status: 409 });
    now('completed');
    await client.videos.retrieve(one);
    upstream.on('/v1/videos/video_up', json({ id: 'video_up', object: 'video.deleted', deleted: true }));
    expect(await client.videos.delete(one)).to.deep.equal({ id: one, object: 'video.deleted', deleted: true });
    expect(upstream.calls.at(-1)?.method).to.equal('DELETE');
    expect(await client.videos.retrieve(one).catch((error: unknown) => error)).to.include({ status: 404 });
    expect((await client.videos.list()).data.map(({ id }) => id)).to.deep.equal([ids[2], ids[1]]);
  });

  it('are nobody else’s', async () => {
    const { id } = await create();
    const { directory } = rig.relay;
    const calls = upstream.calls.length;
    directory.owner = { ...directory.owner, userId: 'usr_2' as UserId };
    directory.token = { ...directory.token, userId: 'usr_2' as UserId, tokenId: 'key_2' as TokenId };
    const ask = (method: string, path: string): Promise<number> =>
      fetch(`${rig.relay.baseUrl}${path}`, {
        method,
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        ...(method === 'POST' ? { body: '{"prompt":"mine now"}' } : {}),
      }).then(({ status }) => status);
    expect(await ask('GET', `/videos/${id}`)).to.equal(404);
    expect(await ask('GET', `/videos/${id}/content`)).to.equal(404);
    expect(await ask('DELETE', `/videos/${id}`)).to.equal(404);
    expect(await ask('POST', `/videos/${id}/remix`)).to.equal(404);
    expect((await client.videos.list()).data).to.deep.equal([]);
    expect(await client.videos.list({ after: id }).catch((error: unknown) => error)).to.include({ status: 400 });
    expect(upstream.calls.length).to.equal(calls);
  });

  it('cost nothing when no upstream takes them, and leave no task', async () => {
    upstream.on('/v1/videos', json({ error: { message: 'Not that.', type: 'invalid_request_error', code: 'moderation_blocked' } }, 400));
    expect(await create().catch((error: unknown) => error)).to.include({ status: 400, code: 'moderation_blocked' });
    upstream.on('/v1/videos', json({ object: 'video' }));
    expect(await create().catch((error: unknown) => error)).to.include({ status: 502 });
    expect(rig.ledger.types('task')).to.deep.equal([]);
    expect(await rig.balance()).to.equal(CREDIT);
  });

  it('are charged to nobody, and known to be, when the charge cannot be recorded', async () => {
    let isCut = false;
    rig.ledger.interfere = (append) => {
      if (append.events.some(({ type }) => type === 'QuotaDebited')) isCut = true;
      return isCut && append.stream.startsWith('lease-') ? { outcome: 'unknown', cause: new Error('cut') } : undefined;
    };
    const error = (await create().catch((thrown: unknown) => thrown)) as { status: number };
    expect(error.status).to.equal(503);
    expect(rig.ledger.types('task')).to.deep.equal(['TaskSubmitted', 'TaskFailed']);
    expect(rig.documents()[0]).to.include({ status: 'failed', open: true });
  });

  it('cost more at the large sizes of the pro model', async () => {
    rig.relay.directory.channels = [channel(`${upstream.url}/v1`, { models: ['sora-2-pro'] })];
    rig.relay.directory.prices.set('sora-2-pro', { model: 'sora-2-pro', kind: 'video', rates: { second: SECOND as Money } });
    await client.videos.create({ model: 'sora-2-pro', prompt: 'x', seconds: '12', size: '1792x1024' });
    expect(await rig.balance()).to.equal(CREDIT - 20n * SECOND);
  });
});
