import { expect } from 'chai';
import { issueToken } from '../../../commands/tokens/issue-token.ts';
import { dollars } from '../../../domain/ledger/money.ts';
import { UNRESTRICTED } from '../../../schemas/events/token.ts';
import { RequestId, type TokenId, type UserId } from '../../../schemas/ids.ts';
import { consoleBench, type ConsoleBench, type ConsoleClient } from '../../support/console-bench.ts';
import { listed } from '../../support/listed.ts';
import { done } from '../../support/refused.ts';
import { spendOnLease, TEST_CHANNEL } from '../../support/spending.ts';

const request = (name: string): RequestId => RequestId.parse(`req_${name}`);

/* eslint-disable @typescript-eslint/no-explicit-any -- bodies are looked at, not trusted */
const rowsOf = async (client: ConsoleClient, path: string): Promise<any[]> => {
  const { status, body, text } = await client.get(path);
  expect(status, `${path}: ${text}`).to.equal(200);
  return body.rows as any[];
};

describe('two people and an administrator at the console', () => {
  let bench: ConsoleBench;
  let ada: ConsoleClient & { readonly userId: UserId };
  let bob: ConsoleClient & { readonly userId: UserId };
  let admin: ConsoleClient;
  let adasKey: TokenId;
  let bobsKey: TokenId;

  before(async function () {
    this.timeout(120_000);
    bench = await consoleBench();
    [ada, bob, admin] = [await bench.person('ada@example.com'), await bench.person('bob@example.com'), await bench.admin()];
    const published = bench.eventsOf('pricelist')[0];
    if (published?.type !== 'PriceListPublished') throw new Error('no prices');
    const price = published.data.models[0];
    if (price === undefined) throw new Error('no model');
    const spenderOf = async (userId: UserId, name: string) => {
      done(
        await bench.book.execute(
          userId,
          { kind: 'grantCredit', amount: dollars(2), source: 'admin', reason: `for ${name}` },
          bench.context(),
        ),
      );
      const { tokenId } = done(
        await issueToken(
          bench,
          { userId, name, expiresAt: null, restrictions: UNRESTRICTED, caps: { total: dollars(1) } },
          bench.context(),
        ),
      );
      return { userId, tokenId, priceListId: published.data.priceListId, price };
    };
    const [adas, bobs] = [await spenderOf(ada.userId, '=adas key'), await spenderOf(bob.userId, 'bobs key')];
    [adasKey, bobsKey] = [adas.tokenId, bobs.tokenId];
    await spendOnLease(bench, 'ada1', adas, [
      { requestId: request('ada1'), usage: { input: 1_000, cachedInput: 500, output: 200 } },
      { requestId: request('ada2') },
    ]);
    bench.pass(3_600_000);
    await spendOnLease(bench, 'bob1', bobs, [
      { requestId: request('bob1'), usage: { input: 7, output: 3 } },
      { requestId: request('bob2'), usage: { output: 20_000 } },
    ]);
    await bench.projecting.caughtUp();
  });
  after(() => bench.close());

  it('see their own keys, calls and entries, and nothing of each other', async () => {
    expect((await rowsOf(ada, '/api/keys')).map(({ tokenId }) => tokenId)).to.deep.equal([adasKey]);
    expect((await rowsOf(ada, '/api/requests')).map(({ requestId }) => requestId)).to.have.members(['req_ada1', 'req_ada2']);
    expect(new Set((await rowsOf(ada, '/api/ledger/journal?view=entries')).map(({ userId }) => userId))).to.deep.equal(
      new Set([ada.userId]),
    );
    for (const { account } of await rowsOf(ada, '/api/ledger/accounts'))
      expect(account).to.match(new RegExp(`^(wallet:${ada.userId}|held:lse_ada1|overdraft:${ada.userId})$`));
    const everything = (
      await Promise.all(
        [
          '/api/keys',
          '/api/requests',
          '/api/ledger/journal?view=entries',
          '/api/ledger/journal.csv',
          '/api/ledger/accounts',
          '/api/overview',
          '/api/overview/spend?by=key',
          '/api/overview/models',
          '/api/account',
        ].map((path) => ada.get(path)),
      )
    )
      .map(({ text }) => text)
      .join('\n');
    expect(everything)
      .not.to.include(bob.userId)
      .and.not.to.include(bobsKey)
      .and.not.to.include('bob1')
      .and.not.to.include('bobs key')
      .and.not.to.include('bob@');
  });

  it('are refused what they may not ask for', async () => {
    const asked = [
      `/api/keys?userId=${bob.userId}`,
      '/api/keys?scope=all',
      `/api/requests?userId=${bob.userId}`,
      '/api/requests?scope=all',
      '/api/requests/histogram?scope=all',
      '/api/requests/live?scope=all',
      `/api/ledger/journal?userId=${bob.userId}`,
      '/api/ledger/journal?scope=all',
      '/api/ledger/journal.csv?scope=all',
      '/api/ledger/accounts?scope=all',
      '/api/overview?scope=all',
      '/api/overview/spend?scope=all',
      '/api/overview/models?scope=all',
    ];
    for (const path of asked) expect((await ada.get(path)).body.error.code, path).to.equal('forbidden');
    for (const path of [`/api/keys/${bobsKey}`, '/api/requests/req_bob1', '/api/ledger/charges/req_bob1'])
      expect((await ada.get(path)).body.error.code, path).to.equal('not_found');
    for (const what of ['enable', 'disable', 'revoke', 'restore'])
      expect((await ada.post(`/api/keys/${bobsKey}/${what}`, {})).body.error.code, what).to.equal('not_found');
    expect((await ada.call('PATCH', `/api/keys/${bobsKey}`, { body: { name: 'mine' } })).body.error.code).to.equal('not_found');
    expect((await ada.call('PUT', `/api/keys/${bobsKey}/caps`, { body: { total: null } })).body.error.code).to.equal('not_found');
    expect(
      (await ada.call('PUT', `/api/keys/${bobsKey}/restrictions`, { body: { models: null, endpoints: null, addresses: null } })).body.error
        .code,
    ).to.equal('not_found');
    expect((await ada.post('/api/keys', { name: 'for bob', userId: bob.userId })).body.error.code).to.equal('forbidden');
  });

  it('find that filters of their own narrow their own only', async () => {
    expect(await rowsOf(ada, `/api/requests?tokenId=${bobsKey}`)).to.deep.equal([]);
    expect(await rowsOf(ada, '/api/requests?search=req_bob')).to.deep.equal([]);
    expect(await rowsOf(ada, `/api/ledger/journal?account=wallet:${bob.userId}`)).to.deep.equal([]);
    expect(await rowsOf(ada, '/api/ledger/journal?requestId=req_bob1')).to.deep.equal([]);
  });

  it('see both when they are administrators', async () => {
    expect((await rowsOf(admin, '/api/requests?scope=all')).map(({ requestId }) => requestId)).to.include.members(['req_ada1', 'req_bob1']);
    expect((await rowsOf(admin, `/api/requests?userId=${bob.userId}`)).map(({ requestId }) => requestId)).to.have.members([
      'req_bob1',
      'req_bob2',
    ]);
    expect(await rowsOf(admin, '/api/requests'), 'their own unless they ask for more').to.deep.equal([]);
    expect((await rowsOf(bench.operator(), '/api/requests')).length, 'the operator is nobody in particular').to.equal(4);
  });

  it('are shown what upstreams cost only when they are administrators', async () => {
    const [his] = await rowsOf(ada, '/api/requests?search=req_ada1');
    expect(his).to.include({
      upstreamCost: null,
      amount: '5750000',
      inputTokens: 1_500,
      cachedTokens: 500,
      outputTokens: 200,
      state: 'charged',
      status: 200,
      tokenName: '=adas key',
      attempts: 1,
    });
    const [shown] = await rowsOf(admin, '/api/requests?scope=all&search=req_ada1');
    expect(shown.upstreamCost).to.equal('2875000');
    expect((await ada.get('/api/requests/req_ada1')).body.request.upstreamCost).to.equal(null);
    expect((await ada.get('/api/ledger/charges/req_ada1')).body.upstreamCost).to.equal(null);
  });

  it('see how a charge was computed, to the nano-dollar', async () => {
    const { body } = await ada.get('/api/ledger/charges/req_ada1');
    // 1 000 × 2.5 + 500 × 2.5 (no rate of its own for cached tokens) + 200 × 10, in dollars per million.
    expect(body).to.include({
      model: 'large',
      basis: 'reported',
      exact: '5750000',
      computed: '5750000',
      amount: '5750000',
      held: '100000000',
      overdrawn: '0',
      refunded: '0',
      agrees: true,
      tierAbovePromptTokens: null,
    });
    expect(body.lines).to.deep.equal([
      { class: 'input', quantity: 1_000, rate: '2500000000', per: 'million', exact: '2500000' },
      { class: 'cachedInput', quantity: 500, rate: '2500000000', per: 'million', exact: '1250000' },
      { class: 'output', quantity: 200, rate: '10000000000', per: 'million', exact: '2000000' },
    ]);
    const { body: over } = await bob.get('/api/ledger/charges/req_bob2');
    expect(over).to.include({ computed: '200000000', amount: '100000000', overdrawn: '100000000', agrees: true });
    expect((await ada.get('/api/ledger/charges/req_ada2')).status, 'a released call has no charge').to.equal(404);
  });

  it('see one call with its attempts and its facts in the log', async () => {
    const { body } = await ada.get('/api/requests/req_ada2');
    expect(body.request).to.include({ state: 'released', status: 502, errorCode: 'upstream_failed', amount: '0' });
    expect(body.attempts).to.have.length(1);
    expect(body.attempts[0]).to.include({ channelId: TEST_CHANNEL, outcome: 'failed', status: 500 });
    expect(listed(body.events).map(({ type }: { type: string }) => type)).to.deep.equal(['QuotaReserved', 'QuotaReleased']);
  });

  it('read a statement whose balances add up', async () => {
    const rows = (await rowsOf(bob, '/api/ledger/journal')).reverse();
    let balance = 0n;
    for (const { change, balance: after } of rows) {
      balance += BigInt(change as string);
      expect(after).to.equal(balance.toString());
    }
    const { body } = await bob.get('/api/account');
    expect(body.user.balance).to.equal(balance.toString());
    expect(rows.map(({ kind }) => kind))
      .to.include.members(['grant', 'charge'])
      .and.not.to.include('hold');
    const pages: string[] = [];
    for (let cursor = ''; ;) {
      const { body: page } = await bob.get(`/api/ledger/journal?limit=1${cursor}`);
      pages.unshift(...(page.rows as { entryId: string }[]).map(({ entryId }) => entryId));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor as string)}`;
    }
    expect(pages, 'page by page the same').to.deep.equal(rows.map(({ entryId }) => entryId as string));
  });

  it('take their journal away as CSV, harmless in a spreadsheet', async () => {
    const { text, headers } = await ada.get('/api/ledger/journal.csv');
    expect(headers['content-type']).to.equal('text/csv; charset=utf-8');
    expect(headers['content-disposition']).to.equal('attachment; filename="oblivious-journal.csv"');
    const lines = text.replace('\u{feff}', '').trimEnd().split('\r\n');
    expect(lines[0]).to.match(/^entry,recorded_at,kind,/);
    expect(lines.slice(1)).to.have.length((await rowsOf(ada, '/api/ledger/journal')).length);
    expect(text).to.include(',-0.00575,');
  });

  it('have a trial balance of zero, which administrators see', async () => {
    const { body } = await admin.get('/api/ledger/trial-balance');
    expect(body).to.include({ difference: '0' });
    expect(body.debits).to.equal(body.credits);
  });

  it('get back what an administrator refunds, and never more than was charged', async () => {
    const refund = (amount: string) => admin.post('/api/ledger/charges/req_ada1/refund', { amount, reason: 'goodwill' });
    const { body: done } = await refund('750000');
    expect((await ada.get(`/api/ledger/charges/req_ada1?after=${done.position}`)).body.refunded).to.equal('750000');
    expect((await refund('5000001')).body.error.code).to.equal('exceeds_charge');
    expect((await admin.post('/api/ledger/charges/req_none/refund', { amount: '1', reason: 'x' })).status).to.equal(404);
  });

  it('see their figures, their spending over time and their dearest models', async () => {
    const { body: figures } = await ada.get('/api/overview');
    expect(figures.current).to.include({ spend: '5750000', requests: 2, failed: 1, inputTokens: 1_500, outputTokens: 200 });
    expect(figures.previous.requests).to.equal(0);
    const { body: series } = await ada.get('/api/overview/spend?by=key&bucket=hour');
    expect(series.series).to.have.length(1);
    expect(series.series[0]).to.include({ name: adasKey, label: '=adas key', total: '5750000' });
    expect(series.buckets).to.have.length(series.series[0].spend.length as number);
    expect((await rowsOf(ada, '/api/overview/models'))[0]).to.include({ model: 'large', spend: '5750000', requests: 2 });
    const { body: histogram } = await ada.get('/api/requests/histogram?buckets=24');
    expect(listed(histogram.buckets).reduce((sum: number, { ok, failed }: any) => sum + ok + failed, 0)).to.equal(2);
  });
});

describe('the live tail of requests', () => {
  let bench: ConsoleBench;
  before(async function () {
    this.timeout(120_000);
    bench = await consoleBench();
  });
  after(() => bench.close());

  const eventsOf = async (
    client: ConsoleClient,
    path: string,
    headers: Record<string, string>,
    count: number,
  ): Promise<{ id: string; row: any }[]> => {
    const response = await client.open('GET', path, { headers });
    expect(response.headers['content-type']).to.equal('text/event-stream; charset=utf-8');
    const events: { id: string; row: any }[] = [];
    let text = '';
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      events.length = 0;
      for (const match of text.matchAll(/event: request\nid: (\d+)\ndata: (.*)\n\n/g))
        events.push({ id: match[1] ?? '', row: JSON.parse(match[2] ?? '') });
      if (events.length >= count) break;
    }
    response.destroy();
    return events;
  };

  it('shows each call once as it ends, to whom it concerns, and resumes where it was left', async () => {
    const [ada, bob, admin] = [await bench.person('ada@example.com'), await bench.person('bob@example.com'), await bench.admin()];
    const published = bench.eventsOf('pricelist')[0];
    if (published?.type !== 'PriceListPublished' || published.data.models[0] === undefined) return expect.fail('no prices');
    const price = published.data.models[0];
    const spend = async (userId: UserId, name: string): Promise<void> => {
      done(await bench.book.execute(userId, { kind: 'grantCredit', amount: dollars(1), source: 'admin', reason: name }, bench.context()));
      const { tokenId } = done(
        await issueToken(bench, { userId, name, expiresAt: null, restrictions: UNRESTRICTED, caps: {} }, bench.context()),
      );
      await spendOnLease(bench, name, { userId, tokenId, priceListId: published.data.priceListId, price }, [
        { requestId: request(`${name}a`), usage: { output: 10 } },
        { requestId: request(`${name}b`) },
      ]);
    };
    const start = { 'last-event-id': (await bench.log.head()).toString() };
    const tails = [
      eventsOf(ada, '/api/requests/live', start, 2),
      eventsOf(admin, '/api/requests/live?scope=all', start, 4),
      eventsOf(admin, '/api/requests/live?scope=all&result=failed', start, 2),
    ];
    await spend(bob.userId, 'bob');
    await spend(ada.userId, 'ada');
    const [hers = [], all = [], failed = []] = await Promise.all(tails);
    expect(hers.map(({ row }) => row.requestId)).to.deep.equal(['req_adaa', 'req_adab']);
    expect(hers[0]?.row).to.include({ state: 'charged', upstreamCost: null, amount: '100000' });
    expect(all.map(({ row }) => row.requestId)).to.deep.equal(['req_boba', 'req_bobb', 'req_adaa', 'req_adab']);
    expect(all[0]?.row.upstreamCost).to.equal('50000');
    expect(failed.map(({ row }) => row.requestId)).to.deep.equal(['req_bobb', 'req_adab']);
    const rest = await eventsOf(admin, '/api/requests/live?scope=all', { 'last-event-id': all[1]?.id ?? '' }, 2);
    expect(rest).to.deep.equal(all.slice(2));
  });
});
