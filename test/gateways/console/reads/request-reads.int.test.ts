import { expect } from 'chai';
import type { RequestFilter } from '../../../../gateways/ports/console-reads.ts';
import { tokenTotals } from '../../../../projections/usage/token-totals.ts';
import { RequestDetail, RequestHistogram, RequestPage } from '../../../../schemas/http/requests.ts';
import { RequestId } from '../../../../schemas/ids.ts';
import { answered, describeOnShop, FOREIGN_CURSORS, walk } from './on-shop.ts';
import { at, CHANNELS, HOUR_MS, KEYS, NOW, PEOPLE, type Happened } from './shop.ts';

const { ada, bob, cyd } = PEOPLE;

describeOnShop('requests', (shop) => {
  const all = (filter: Partial<RequestFilter> = {}, limit = 200) =>
    walk(limit, async (page) => answered(RequestPage, await shop().reads.requests({ owner: 'everybody', range: {}, ...filter }, page)));
  const idsOf = (rows: readonly { readonly requestId: string }[]) => rows.map(({ requestId }) => requestId);
  const happened = (fits: (call: Happened) => boolean = () => true) =>
    idsOf([...shop().calls].sort((a, b) => (a.position < b.position ? 1 : -1)).filter(fits));

  it('are walked once each, newest first, and are the owner’s alone', async () => {
    for (const limit of [1, 7, 61, 200]) expect(idsOf(await all({}, limit))).to.deep.equal(happened());
    for (const owner of [ada, bob, cyd]) expect(idsOf(await all({ owner }, 9))).to.deep.equal(happened(({ userId }) => userId === owner));
    expect(happened(({ userId }) => userId === ada).length).to.be.greaterThan(5);
  });

  it('are what happened', async () => {
    const rows = new Map((await all()).map((row) => [row.requestId, row]));
    for (const call of shop().calls) {
      const { requestId, userId, tokenId, model, state, status, errorCode, firstByteMs, amount, upstreamCost } = call;
      const tokens = tokenTotals(call.usage);
      const isKnown = status !== null;
      expect(rows.get(requestId)).to.deep.equal({
        ...{ requestId, userId, tokenId, model, state, status, errorCode, firstByteMs, amount, upstreamCost },
        tokenName: tokenId === KEYS.alpha ? 'alpha' : tokenId === KEYS.beta ? 'beta' : 'gamma',
        endpoint: isKnown ? call.endpoint : null,
        streamed: isKnown ? Number(requestId.slice(4)) % 2 === 0 : null,
        startedAt: at(call.startedAt),
        durationMs: isKnown ? 700 : null,
        inputTokens: tokens.input,
        cachedTokens: tokens.cached,
        outputTokens: tokens.output,
        basis: state === 'charged' ? 'reported' : null,
        attempts: isKnown ? 1 : 0,
        channelId: isKnown ? call.channelId : null,
      });
    }
  });

  const failed = ({ state, status }: Happened): boolean => state !== 'running' && (status ?? 599) >= 400;
  const [from, to] = [NOW - 40 * HOUR_MS, NOW - 2 * HOUR_MS];
  const FILTERS: readonly (readonly [string, Partial<RequestFilter>, (call: Happened) => boolean])[] = [
    ['key', { tokenId: KEYS.gamma }, ({ tokenId }) => tokenId === KEYS.gamma],
    ['another’s key', { owner: ada, tokenId: KEYS.gamma }, () => false],
    ['channel', { channelId: CHANNELS.vip }, ({ channelId, status }) => status !== null && channelId === CHANNELS.vip],
    ['model', { model: 'm4' }, ({ model }) => model === 'm4'],
    ['endpoint', { endpoint: 'embeddings' }, ({ endpoint, status }) => status !== null && endpoint === 'embeddings'],
    ['state charged', { state: 'charged' }, ({ state }) => state === 'charged'],
    ['state released', { state: 'released' }, ({ state }) => state === 'released'],
    ['state running', { state: 'running' }, ({ state }) => state === 'running'],
    ['result ok', { result: 'ok' }, (call) => call.state !== 'running' && !failed(call)],
    ['result failed', { result: 'failed' }, failed],
    ['error', { errorCode: 'upstream_failed' }, ({ errorCode }) => errorCode !== null],
    ['id', { search: 'req_001' }, ({ requestId }) => requestId.startsWith('req_001')],
    ['time', { range: { from, to } }, ({ startedAt }) => startedAt >= from && startedAt < to],
    [
      'several',
      { owner: bob, result: 'ok', endpoint: 'chat', range: { from } },
      (call) => call.userId === bob && call.state === 'charged' && call.endpoint === 'chat' && call.startedAt >= from,
    ],
  ];
  for (const [name, filter, fits] of FILTERS) {
    it(`are filtered by ${name}`, async () => {
      const wanted = happened(fits);
      if (name !== 'another’s key') expect(wanted.length).to.be.greaterThan(0).and.lessThan(shop().calls.length);
      expect(idsOf(await all(filter, 3))).to.deep.equal(wanted);
    });
  }

  it('that no filter can match are none, and cursors that nobody gave are the first page', async () => {
    for (const filter of [{ model: 'm\0' }, { search: '\0' }, { search: '~' }, { errorCode: "'" }, { endpoint: 'chat\0' }])
      expect(await all(filter)).to.deep.equal([]);
    const { reads } = shop();
    const filter: RequestFilter = { owner: 'everybody', range: {} };
    const first = await reads.requests(filter, { cursor: undefined, limit: 3 });
    for (const cursor of FOREIGN_CURSORS) expect(await reads.requests(filter, { cursor, limit: 3 })).to.deep.equal(first);
  });

  it('make a histogram that has every ended call in its bucket', async () => {
    const { reads, calls } = shop();
    for (const [range, count] of [
      [{ from: NOW - 12 * 24 * HOUR_MS, to: NOW }, 60],
      [{ from, to }, 7],
      [{ from: NOW - 3, to: NOW }, 60],
    ] as const) {
      for (const owner of ['everybody', bob] as const) {
        const histogram = answered(RequestHistogram, await reads.requestHistogram({ owner, range: {} }, range, count));
        const { stepMs, buckets } = histogram;
        expect(buckets.length).to.be.at.most(count);
        expect(Date.parse(buckets.at(-1)?.start ?? '') + stepMs).to.be.at.least(range.to);
        const ended = calls.filter((call) => call.state !== 'running' && (owner === 'everybody' || call.userId === owner));
        buckets.forEach(({ start, ...bucket }, index) => {
          expect(Date.parse(start)).to.equal(range.from + index * stepMs);
          const end = Math.min(Date.parse(start) + stepMs, range.to);
          const own = ended.filter(({ startedAt }) => startedAt >= Date.parse(start) && startedAt < end);
          expect(bucket).to.deep.equal({
            ok: own.filter((call) => !failed(call)).length,
            failed: own.filter(failed).length,
            spend: own.reduce((sum, { amount }) => sum + amount, 0n),
          });
        });
      }
    }
    const chat = await reads.requestHistogram({ owner: bob, range: {}, model: 'm1' }, { from: 0, to: NOW }, 1);
    expect(chat.buckets[0]?.spend).to.equal(
      calls.filter(({ userId, model }) => userId === bob && model === 'm1').reduce((sum, { amount }) => sum + amount, 0n),
    );
  });

  it('are told in full, with the facts that they are made of', async () => {
    const { reads, log, calls } = shop();
    for (const call of calls) {
      const detail = answered(RequestDetail, (await reads.request(call.requestId))!);
      const { request, events, ...rest } = detail;
      expect(request).to.deep.equal((await all({ search: call.requestId }))[0]);
      const isEnded = call.state !== 'running';
      expect({ ...rest, attempts: rest.attempts.length, priceListId: rest.priceListId !== null }).to.deep.equal({
        leaseId: call.leaseId,
        priceListId: true,
        held: call.held,
        usage: call.state === 'charged' ? call.usage : null,
        releaseReason: call.state !== 'released' ? null : call.status === null ? 'holder_lost' : 'upstream_failed',
        reconcile: isEnded && call.status === null,
        attempts: call.status === null ? 0 : 1,
      });
      const facts = log.events.filter(({ data }) => data['requestId'] === call.requestId);
      expect(events).to.deep.equal(facts.map(({ position, type, recordedAt }) => ({ position: position.toString(), type, recordedAt })));
    }
    const types = (call: Happened | undefined) => reads.request(call!.requestId).then((detail) => detail?.events.map(({ type }) => type));
    expect(await types(calls.find(({ overdrawn, refunded }) => overdrawn > 0n && refunded === 0n))).to.deep.equal([
      'QuotaReserved',
      'QuotaDebited',
      'QuotaOverdrawn',
    ]);
    expect(await types(calls.find(({ overdrawn, refunded }) => overdrawn === 0n && refunded > 0n))).to.deep.equal([
      'QuotaReserved',
      'QuotaDebited',
      'ChargeRefunded',
      'ChargeRefunded',
    ]);
    expect(await reads.request(RequestId.parse('req_none'))).to.equal(null);
  });
});
