import { expect } from 'chai';
import { jwtVerify } from 'jose';
import type { UserId } from '../../../../schemas/ids.ts';
import type { Money } from '../../../../schemas/money.ts';
import type { ModelPrice } from '../../../../schemas/price.ts';
import { json } from '../endpoints/endpoint-upstream.ts';
import { channel, KEY } from '../relay-harness.ts';
import { checkLedger } from './checked-ledger.ts';
import { startTaskRelay, type TaskRig } from './task-rig.ts';
import { bytes, startTaskUpstream, type TaskUpstream } from './task-upstream.ts';

const CREDIT = 10_000_000_000n;
const CALL = 50_000_000n;

type Json = Readonly<Record<string, never>>;

const priced = (model: string, rates: ModelPrice['rates'], kind: ModelPrice['kind'] = 'other'): ModelPrice => ({ model, kind, rates });

describe('tasks in the words of Kling, Suno and Midjourney', () => {
  let upstream: TaskUpstream;
  let rig: TaskRig;

  before(async () => {
    upstream = await startTaskUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    rig = await startTaskRelay({ credit: Number(CREDIT) });
    const { directory } = rig.relay;
    directory.channels = [
      channel(upstream.url, { provider: 'kling', models: ['kling-v2=kling-v2-upstream'], keys: ['access|secret'] }),
      channel(upstream.url, { provider: 'suno', models: ['suno_music', 'suno_lyrics'], keys: ['sk-suno'] }),
      channel(upstream.url, { provider: 'midjourney-proxy', models: ['mj_imagine', 'mj_upscale', 'mj_blend'], keys: ['mj-secret'] }),
    ];
    directory.prices.set('kling-v2', priced('kling-v2', { second: CALL as Money }, 'video'));
    for (const model of ['suno_music', 'suno_lyrics', 'mj_upscale', 'mj_blend'])
      directory.prices.set(model, priced(model, { call: CALL as Money }));
    directory.prices.set('mj_imagine', priced('mj_imagine', { image: CALL as Money }, 'image'));
  });
  afterEach(async () => {
    await rig.relay.idle();
    await rig.close();
    await checkLedger(rig.ledger.log);
  });

  const ask = async (method: string, path: string, body?: object): Promise<{ readonly status: number; readonly said: Json }> => {
    const answer = await fetch(`${rig.relay.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, said: (await answer.json()) as Json };
  };
  const later = (): void => {
    rig.clock.now += 5_000;
  };
  const bodyOf = (index: number): unknown => JSON.parse(String(upstream.calls[index]?.body));

  describe('of Kling', () => {
    const kling = (status: string, more: object = {}): object => ({
      code: 0,
      message: 'SUCCEED',
      request_id: 'up',
      data: { task_id: '867', task_status: status, task_status_msg: '', created_at: 1, updated_at: 2, ...more },
    });
    const FILM = (): object =>
      kling('succeed', { task_result: { videos: [{ id: 'v', url: `${upstream.url}/files/film.mp4?x=1`, duration: '5' }] } });

    beforeEach(() => upstream.on('/v1/videos/text2video', json(kling('submitted'))));

    it('are submitted with a signed token, asked about, and paid for by the second', async () => {
      const { status, said } = await ask('POST', '/kling/v1/videos/text2video', {
        model_name: 'kling-v2',
        prompt: 'a sea',
        duration: '10',
        aspect_ratio: '16:9',
        mode: 'std',
      });
      expect(status).to.equal(200);
      const data = said['data'] as unknown as { task_id: string; task_status: string };
      expect(data.task_id).to.match(/^task_/);
      expect(data.task_status).to.equal('submitted');
      expect(bodyOf(0)).to.deep.equal({
        mode: 'std',
        model_name: 'kling-v2-upstream',
        prompt: 'a sea',
        duration: '10',
        aspect_ratio: '16:9',
      });
      const token = String(upstream.calls[0]?.headers.authorization).replace('Bearer ', '');
      const { payload } = await jwtVerify(token, new TextEncoder().encode('secret'));
      expect(payload.iss).to.equal('access');
      expect((payload.exp as number) - (payload.nbf as number)).to.equal(1_805);

      later();
      upstream.on('/v1/videos/text2video/867', json(FILM()));
      const seen = (await ask('GET', `/kling/v1/videos/text2video/${data.task_id}`)).said['data'] as unknown as Record<string, unknown>;
      expect(seen).to.include({ task_id: data.task_id, task_status: 'succeed' });
      expect(JSON.stringify(seen)).to.contain('film.mp4').and.not.contain('867');
      expect(await rig.balance()).to.equal(CREDIT - 10n * CALL);
    });

    it('are refused as Kling does, by the upstream in a success and by us', async () => {
      upstream.on('/v1/videos/text2video', json({ code: 1301, message: 'blocked', request_id: 'up' }));
      expect(await ask('POST', '/kling/v1/videos/text2video', { model_name: 'kling-v2', prompt: 'x' })).to.deep.include({ status: 400 });
      const none = await ask('GET', '/kling/v1/videos/text2video/task_none');
      expect(none.status).to.equal(404);
      expect(none.said).to.include({ code: 1203 }).and.to.have.keys('code', 'message', 'request_id');
      const callback = await ask('POST', '/kling/v1/videos/text2video', {
        model_name: 'kling-v2',
        prompt: 'x',
        callback_url: 'ftp://a.example',
      });
      expect(callback.status).to.equal(400);
      expect(await rig.balance()).to.equal(CREDIT);
    });

    it('are paid back when they fail', async () => {
      const { said } = await ask('POST', '/kling/v1/videos/text2video', { model_name: 'kling-v2', prompt: 'x' });
      later();
      upstream.on('/v1/videos/text2video/867', json(kling('failed', { task_status_msg: 'risk' })));
      const id = (said['data'] as unknown as { task_id: string }).task_id;
      const seen = await ask('GET', `/kling/v1/videos/text2video/${id}`);
      expect(seen.said['data']).to.include({ task_status: 'failed', task_status_msg: 'risk' });
      expect(await rig.balance()).to.equal(CREDIT);
      expect(rig.ledger.events('ChargeRefunded')).to.have.length(1);
    });

    it('are asked for in OpenAI’s words and in the common ones too, and their file is passed on', async () => {
      const openai = await ask('POST', '/v1/videos', { model: 'kling-v2', prompt: 'a sea', seconds: '5', size: '720x1280' });
      expect(openai.said).to.include({ object: 'video', status: 'queued', seconds: '5' });
      expect(bodyOf(0)).to.deep.equal({ model_name: 'kling-v2-upstream', prompt: 'a sea', duration: '5', aspect_ratio: '9:16' });
      upstream.on('/v1/videos/image2video', json(kling('submitted')));
      const generic = await ask('POST', '/v1/video/generations', {
        model: 'kling-v2',
        prompt: 'a sea',
        duration: 5,
        image: 'https://pictures.example/a.png',
        metadata: { cfg_scale: 0.5, duration: '60', model_name: 'dearer' },
      });
      expect(bodyOf(1)).to.deep.equal({
        cfg_scale: 0.5,
        model_name: 'kling-v2-upstream',
        prompt: 'a sea',
        duration: '5',
        image: 'https://pictures.example/a.png',
      });
      later();
      upstream.on('/v1/videos/text2video/867', json(FILM()));
      upstream.on('/v1/videos/image2video/867', json(FILM()));
      upstream.on('/files/film.mp4?x=1', bytes(Buffer.from('film'), 'video/mp4'));
      expect((await ask('GET', `/v1/video/generations/${String(generic.said['task_id'])}`)).said).to.deep.include({
        status: 'completed',
        url: `${upstream.url}/files/film.mp4?x=1`,
        metadata: { duration: 5 },
      });
      const id = String(openai.said['id']);
      expect((await ask('GET', `/v1/videos/${id}`)).said).to.include({ status: 'completed', progress: 100 });
      const file = await fetch(`${rig.relay.baseUrl}/videos/${id}/content`, { headers: { authorization: `Bearer ${KEY}` } });
      expect(await file.text()).to.equal('film');
      // Whoever keeps the file is nobody's upstream: no credential goes there.
      expect(upstream.calls.at(-1)?.headers.authorization).to.equal(undefined);
    });
  });

  describe('of Suno', () => {
    it('are submitted, asked about one by one and together, and paid back when they fail', async () => {
      upstream.on('/suno/submit/music', json({ code: 'success', message: '', data: 'song-1' }));
      upstream.on('/suno/submit/lyrics', json({ code: 'success', message: '', data: 'words-1' }));
      const song = await ask('POST', '/suno/submit/music', { prompt: 'la la', mv: 'chirp-v4' });
      const words = await ask('POST', '/suno/submit/lyrics', { prompt: 'of love' });
      expect(song.said).to.include({ code: 'success' });
      expect(bodyOf(0)).to.deep.equal({ prompt: 'la la', mv: 'chirp-v4' });
      const [songId, wordsId] = [String(song.said['data']), String(words.said['data'])];

      later();
      const at = (id: string, more: object): void =>
        upstream.on(`/suno/fetch/${id}`, json({ code: 'success', message: '', data: { task_id: id, progress: '40%', ...more } }));
      at('song-1', { status: 'SUCCESS', data: [{ id: 'clip', audio_url: 'https://songs.example/1.mp3' }] });
      at('words-1', { status: 'FAILURE', fail_reason: 'no words' });
      expect((await ask('GET', `/suno/fetch/${songId}`)).said['data']).to.deep.include({
        task_id: songId,
        action: 'MUSIC',
        status: 'SUCCESS',
        data: [{ id: 'clip', audio_url: 'https://songs.example/1.mp3' }],
      });
      const both = await ask('POST', '/suno/fetch', { ids: [songId, wordsId, 'task_none'] });
      expect((both.said['data'] as unknown as { status: string }[]).map(({ status }) => status)).to.deep.equal(['SUCCESS', 'FAILURE']);
      expect(await rig.balance()).to.equal(CREDIT - CALL);
    });

    it('are refused as gateways of Suno do', async () => {
      upstream.on('/suno/submit/music', json({ code: 'fail', message: 'not that', data: null }));
      const refused = await ask('POST', '/suno/submit/music', { prompt: 'x' });
      expect(refused).to.deep.equal({ status: 400, said: { code: 'upstream_refused', message: 'not that', data: null } });
      expect((await ask('POST', '/suno/submit/music', { prompt: 'x', notify_hook: 'https://ann:secret@a.example' })).status).to.equal(400);
      expect((await ask('GET', '/suno/fetch/task_none')).said).to.include({ code: 'not_found' });
      expect(await rig.balance()).to.equal(CREDIT);
    });
  });

  describe('of Midjourney', () => {
    const imagine = async (path = '/mj/submit/imagine'): Promise<string> => {
      upstream.on(path, json({ code: 1, description: 'Submit success', result: '1320', properties: { channel: 'private' } }));
      const { said } = await ask('POST', path, { prompt: 'a cat', notifyHook: '' });
      expect(said).to.include({ code: 1, description: 'Submit success' });
      return String(said['result']);
    };
    const at = (id: string, more: object): void => upstream.on(`/mj/task/${id}/fetch`, json({ id, progress: '0%', ...more }));

    it('are submitted, fetched, listed, and gone on from', async () => {
      const id = await imagine();
      expect(upstream.calls[0]?.headers['mj-api-secret']).to.equal('mj-secret');
      later();
      at('1320', { status: 'IN_PROGRESS', progress: '57%' });
      expect((await ask('GET', `/mj/task/${id}/fetch`)).said).to.include({ id, status: 'IN_PROGRESS', progress: '57%', action: 'IMAGINE' });
      later();
      at('1320', {
        status: 'SUCCESS',
        progress: '100%',
        imageUrl: `${upstream.url}/files/cat.png`,
        buttons: [{ customId: 'MJ::JOB::upsample::1::x' }],
      });
      expect((await ask('POST', '/mj/task/list-by-condition', { ids: [id, 'task_none'] })).said).to.have.length(1);

      upstream.on('/files/cat.png', bytes(Buffer.from('png'), 'image/png'));
      const image = await fetch(`${rig.relay.url}/mj/image/${id}`, { headers: { authorization: `Bearer ${KEY}` } });
      expect(await image.text()).to.equal('png');
      upstream.on('/mj/task/1320/image-seed', json({ code: 1, description: 'ok', result: '42' }));
      expect((await ask('GET', `/mj/task/${id}/image-seed`)).said).to.include({ result: '42' });

      const submitted = json({ code: 1, description: '', result: '1321' });
      for (const action of ['change', 'simple-change', 'action']) upstream.on(`/mj/submit/${action}`, submitted);
      const told: unknown[] = [];
      for (const [action, body] of [
        ['change', { taskId: id, action: 'UPSCALE', index: 2 }],
        ['simple-change', { content: `${id} U3` }],
        ['action', { taskId: id, customId: 'MJ::JOB::upsample::1::x' }],
      ] as const) {
        expect((await ask('POST', `/mj/submit/${action}`, body)).status, action).to.equal(200);
        told.push(bodyOf(upstream.calls.length - 1));
      }
      expect(told).to.deep.equal([
        { taskId: '1320', action: 'UPSCALE', index: 2 },
        { content: '1320 U3' },
        { taskId: '1320', customId: 'MJ::JOB::upsample::1::x' },
      ]);
      expect(await rig.balance()).to.equal(CREDIT - 4n * CALL);
    });

    it('are as quick as their address says, and of no other quickness', async () => {
      await imagine('/mj-fast/mj/submit/imagine');
      expect(upstream.calls[0]?.path).to.equal('/mj-fast/mj/submit/imagine');
      expect((await ask('POST', '/mj-free/mj/submit/imagine', { prompt: 'x' })).status).to.equal(404);
      expect(upstream.calls).to.have.length(1);
    });

    it('are paid back once when they fail', async () => {
      const id = await imagine();
      later();
      at('1320', { status: 'FAILURE', failReason: 'banned' });
      const seen = await Promise.all([
        ask('GET', `/mj/task/${id}/fetch`),
        ask('GET', `/mj/task/${id}/fetch`),
        ask('GET', `/relax/mj/task/${id}/fetch`),
      ]);
      for (const { said } of seen) expect(said).to.include({ status: 'FAILURE', failReason: 'banned' });
      expect(await rig.balance()).to.equal(CREDIT);
      expect(rig.ledger.events('ChargeRefunded')).to.have.length(1);
    });

    it('are refused as the proxy does, and cost nothing then', async () => {
      upstream.on('/mj/submit/imagine', json({ code: 24, description: 'banned word', result: 'x', properties: {} }));
      expect((await ask('POST', '/mj/submit/imagine', { prompt: 'x' })).said).to.deep.equal({
        code: 4,
        description: 'banned word',
        type: 'upstream_refused',
        result: null,
      });
      expect((await ask('POST', '/mj/submit/change', { taskId: 'task_none', action: 'UPSCALE' })).status).to.equal(404);
      expect((await ask('POST', '/mj/submit/change', { taskId: 'task_none', action: 'DANCE' })).status).to.equal(400);
      expect((await ask('POST', '/mj/submit/imagine', { prompt: 'x', notifyHook: 'a.example' })).status).to.equal(400);
      expect(await rig.balance()).to.equal(CREDIT);
    });

    it('are nobody else’s', async () => {
      const id = await imagine();
      const { directory } = rig.relay;
      directory.owner = { ...directory.owner, userId: 'usr_2' as UserId };
      directory.token = { ...directory.token, userId: 'usr_2' as UserId };
      const calls = upstream.calls.length;
      expect((await ask('GET', `/mj/task/${id}/fetch`)).status).to.equal(404);
      expect((await ask('GET', `/mj/image/${id}`)).status).to.equal(404);
      expect((await ask('POST', '/mj/task/list-by-condition', { ids: [id] })).said).to.deep.equal([]);
      expect((await ask('POST', '/mj/submit/change', { taskId: id, action: 'UPSCALE' })).status).to.equal(404);
      expect(upstream.calls).to.have.length(calls);
    });
  });
});
