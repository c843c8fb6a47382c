import { expect } from 'chai';
import type { RequestRow } from '../../../ui/src/api/requests.ts';
import { merge, MOST_LIVE, NO_LIVE_ROWS, receive, reveal } from '../../../ui/src/features/requests/live-rows.ts';
import { NARROWING, passes, REQUEST_FIELDS, requestFilterOf } from '../../../ui/src/features/requests/request-filters.ts';
import { outcomeOf } from '../../../ui/src/features/requests/request-status.ts';
import { columnsOf, waterfallOf } from '../../../ui/src/features/requests/waterfall.ts';
import { countActive, readFields } from '../../../ui/src/lib/url-state.ts';
import { sampleRequests } from '../support/sample-data.ts';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const rows = sampleRequests(NOW, 8);
const ids = (list: readonly RequestRow[]): string[] => list.map((row) => row.requestId);
const paged = rows.slice(4);
const onPages = new Set(ids(paged));

describe('live rows', () => {
  it('wait until they are asked for, newest first', () => {
    const live = receive(receive(NO_LIVE_ROWS, [rows[3]!], onPages), [rows[2]!, rows[1]!], onPages);
    expect(ids(merge(live, paged))).to.deep.equal(ids(paged));
    expect(ids(live.waiting)).to.deep.equal(ids([rows[1]!, rows[2]!, rows[3]!]));
    expect(ids(merge(reveal(live), paged))).to.deep.equal(ids([rows[1]!, rows[2]!, rows[3]!, ...paged]));
    expect(reveal(live).waiting).to.deep.equal([]);
  });

  it('bring a row up to date where it stands', () => {
    const ended = { ...paged[0]!, durationMs: 999 };
    const live = receive(NO_LIVE_ROWS, [ended], onPages);
    expect(live.waiting).to.deep.equal([]);
    expect(merge(live, paged)[0]).to.equal(ended);
    const shown = reveal(receive(NO_LIVE_ROWS, [rows[0]!], onPages));
    const again = receive(shown, [{ ...rows[0]!, durationMs: 5 }], onPages);
    expect(again.waiting).to.deep.equal([]);
    expect(again.shown[0]?.durationMs).to.equal(5);
  });

  it('show a request once, also after its page was loaded anew', () => {
    const shown = reveal(receive(NO_LIVE_ROWS, [rows[3]!], onPages));
    expect(ids(merge(shown, rows.slice(3)))).to.deep.equal(ids(rows.slice(3)));
  });

  it('do not grow without bound', () => {
    const flood = Array.from({ length: MOST_LIVE + 50 }, (_, index) => ({ ...rows[0]!, requestId: `req_${index}` }));
    const live = receive(NO_LIVE_ROWS, flood, onPages);
    expect(live.waiting).to.have.length(MOST_LIVE);
    expect(live.waiting[0]?.requestId).to.equal(`req_${MOST_LIVE + 49}`);
  });
});

describe('filters of requests', () => {
  const values = readFields(REQUEST_FIELDS, { model: 'gpt-5.2', result: 'ok', key: 'key_1', channel: 'chn_1', scope: 'all' });

  it('become a query of the API', () => {
    expect(requestFilterOf(values, true, NOW, 'UTC')).to.deep.include({
      model: 'gpt-5.2',
      result: 'ok',
      tokenId: 'key_1',
      channelId: 'chn_1',
      scope: 'all',
      from: '2026-11-21T13:00:00.000Z',
    });
    expect(countActive(REQUEST_FIELDS, values, NARROWING)).to.equal(4);
  });

  it('never ask for what only an administrator may see', () => {
    const filter = requestFilterOf(values, false, NOW, 'UTC');
    expect(filter.scope).to.equal(undefined);
    expect(filter.channelId).to.equal(undefined);
  });

  it('hold for what comes in live', () => {
    const row: RequestRow = { ...rows[1]!, model: 'gpt-5.2', status: 200, state: 'charged' };
    expect(passes(row, {})).to.equal(true);
    expect(passes(row, { model: 'gpt-5.2', result: 'ok', state: 'charged', search: row.requestId.slice(0, 8) })).to.equal(true);
    for (const filter of [
      { model: 'gpt-5' },
      { result: 'failed' as const },
      { state: 'released' as const },
      { errorCode: 'upstream_failed' },
      { endpoint: 'none' },
      { search: 'req_zzz' },
    ])
      expect(passes(row, filter), JSON.stringify(filter)).to.equal(false);
    expect(passes({ ...row, status: null }, { result: 'ok' })).to.equal(false);
  });
});

describe('how a request went', () => {
  it('is told by its state and status', () => {
    expect(outcomeOf({ state: 'running', status: null })).to.equal('running');
    expect(outcomeOf({ state: 'charged', status: 200 })).to.equal('ok');
    expect(outcomeOf({ state: 'released', status: 429 })).to.equal('refused');
    expect(outcomeOf({ state: 'released', status: 502 })).to.equal('failed');
    expect(outcomeOf({ state: 'released', status: null })).to.equal('lost');
  });

  it('is drawn as attempts one after the other', () => {
    const attempt = (durationMs: number) => ({
      attemptId: 'att_1',
      channelId: 'chn_1',
      channelKeyId: null,
      outcome: 'answered' as const,
      status: 200,
      durationMs,
    });
    const bars = waterfallOf([attempt(100), attempt(300)], 500);
    expect(bars.map(({ start, width }) => [start, width])).to.deep.equal([
      [0, 0.2],
      [0.2, 0.6],
    ]);
    expect(waterfallOf([attempt(100)], null)[0]).to.deep.include({ start: 0, width: 1 });
    expect(waterfallOf([], 10)).to.deep.equal([]);
  });

  it('is drawn as columns against the tallest', () => {
    expect(
      columnsOf([
        { ok: 6, failed: 2 },
        { ok: 4, failed: 0 },
      ]),
    ).to.deep.equal([
      { ok: 0.75, failed: 0.25 },
      { ok: 0.5, failed: 0 },
    ]);
    expect(columnsOf([{ ok: 0, failed: 0 }])).to.deep.equal([{ ok: 0, failed: 0 }]);
  });
});
