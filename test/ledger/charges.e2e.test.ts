import { expect } from 'chai';
import { auditRun } from '../support/auditor/audit-run.ts';
import { burst } from '../support/load/burst.ts';
import type { ClientCall, PlannedCall } from '../support/load/client-call.ts';
import type { TestModel } from '../support/server-process/operator.ts';
import { startInstallation, type Installation } from '../support/server-process/test-installation.ts';

const MODEL: TestModel = { model: 'charged', inputPerToken: 200, cachedPerToken: 50, outputPerToken: 700, maxOutputTokens: 512 };
const PRICES = { input: 200n, cached: 50n, output: 700n };
const DEARER: TestModel = { ...MODEL, inputPerToken: 400, cachedPerToken: 100, outputPerToken: 1_400 };

interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

let made = 0;
const planned = (script: Record<string, unknown>, changes: Partial<PlannedCall> = {}): PlannedCall => {
  const usage = { prompt: 10 + made, cached: made % 5, output: 20 };
  return {
    marker: `call-${++made}`,
    model: MODEL.model,
    streamed: false,
    maxTokens: 128,
    usage,
    ordinary: false,
    script: { prompt: usage.prompt, cached: usage.cached, tokens: usage.output, ...script },
    leavesAfter: null,
    ...changes,
  };
};

describe('charges of a running server', function () {
  this.timeout(120_000);
  let installation: Installation;
  let userId: string;
  let key: { readonly tokenId: string; readonly secret: string };
  const all: ClientCall[] = [];

  const make = async (...plans: PlannedCall[]): Promise<ClientCall[]> => {
    const calls = await burst(installation.urls, [key.secret], plans);
    all.push(...calls);
    return calls;
  };

  interface Explained {
    readonly basis: string;
    readonly amount: string;
    readonly computed: string;
    readonly held: string;
    readonly overdrawn: string;
    readonly agrees: boolean;
    readonly priceListId: string;
  }

  /** As the console explains it, from the event itself. */
  const explained = (requestId: string): Promise<Explained> =>
    installation.operator.request('GET', `/ledger/charges/${requestId}?after=${seenUpTo}`);

  let seenUpTo = '0';
  /** Lets the read models catch up with everything so far. */
  const catchUp = async (): Promise<void> => {
    const { position } = await installation.operator.request<{ position: string }>('POST', `/users/${userId}/credit`, {
      amount: '1',
      reason: 'a place in the log',
    });
    seenUpTo = position;
  };

  const rowsOf = async <Row>(path: string): Promise<Row[]> => {
    const rows: Row[] = [];
    for (let cursor = ''; ;) {
      const page: Page<Row> = await installation.operator.request(
        'GET',
        `${path}&scope=all&userId=${userId}&limit=200&after=${seenUpTo}${cursor}`,
      );
      rows.push(...page.rows);
      if (page.nextCursor === null) return rows;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  };

  before(async () => {
    installation = await startInstallation({ gateways: 1, models: [MODEL] });
    // Two channels more, so that a call has somewhere to go when one fails.
    for (let more = 0; more < 2; more++) await installation.operator.addChannel(installation.upstream.baseUrl, [MODEL]);
    userId = await installation.operator.createUser(100_000_000_000n);
    key = await installation.operator.createKey(userId);
  });

  after(() => installation.remove());

  for (const [kind, basis] of [
    ['asked', 'reported'],
    ['always', 'reported'],
    ['contradictory', 'reported'],
    ['beyond_limit', 'reported'],
    ['never', 'estimated'],
    ['not_a_number', 'held'],
    ['negative', 'held'],
    ['fractional', 'held'],
    ['astronomic', 'held'],
  ] as const) {
    it(`14. whatever an upstream says of its usage (${kind}): the call is charged, ${basis}, never below nothing and never above its hold`, async () => {
      const calls = await make(planned({ usage: kind }), planned({ usage: kind }, { streamed: true }));
      expect(calls.map(({ seen }) => seen)).to.deep.equal(['complete', 'complete']);
      await catchUp();
      for (const { requestId } of calls) {
        const charge = await explained(requestId ?? '');
        expect(charge.basis).to.equal(basis);
        expect(BigInt(charge.amount) > 0n && BigInt(charge.amount) <= BigInt(charge.held)).to.equal(true);
        expect(BigInt(charge.computed)).to.equal(BigInt(charge.amount) + BigInt(charge.overdrawn));
        expect(charge.agrees).to.equal(true);
      }
    });
  }

  it('15. a call that fails twice and is answered the third time is charged once, with every attempt on record', async () => {
    const [call] = await make(planned({ fail: 'status', status: 500, times: 2 }));
    expect(call?.seen).to.equal('complete');
    await catchUp();
    const { attempts } = await installation.operator.request<{
      attempts: readonly { attemptId: string; outcome: string; status: number }[];
    }>('GET', `/requests/${call?.requestId ?? ''}?after=${seenUpTo}`);
    expect(attempts.map(({ status }) => status)).to.deep.equal([500, 500, 200]);
    expect(new Set(attempts.map(({ attemptId }) => attemptId)).size).to.equal(3);
    expect(attempts.filter(({ outcome }) => outcome === 'answered')).to.have.length(1);
  });

  it('10. come to one sum: by the log of requests, by the journal, by the key and by the user', async () => {
    await make(...Array.from({ length: 30 }, (_, index) => planned({ latency: index }, { streamed: index % 2 === 0, ordinary: true })));
    await catchUp();
    const requests = await rowsOf<{ amount: string; state: string; requestId: string }>('/requests?state=charged');
    const journal = await rowsOf<{ amount: string }>('/ledger/journal?kind=charge');
    const sum = (rows: readonly { amount: string }[]): bigint => rows.reduce((total, { amount }) => total + BigInt(amount), 0n);
    expect(requests.map(({ requestId }) => requestId).sort()).to.deep.equal(
      all
        .filter(({ seen }) => seen === 'complete')
        .map(({ requestId }) => requestId)
        .sort(),
    );
    expect(sum(journal)).to.equal(sum(requests));
    const { spent } = await installation.operator.request<{ spent: { total: string } }>('GET', `/keys/${key.tokenId}?after=${seenUpTo}`);
    const { spentTotal } = await installation.operator.request<{ spentTotal: string }>('GET', `/users/${userId}?after=${seenUpTo}`);
    expect(BigInt(spent.total)).to.equal(sum(requests));
    expect(BigInt(spentTotal)).to.equal(sum(requests));
    const { difference } = await installation.operator.request<{ difference: string }>('GET', `/ledger/trial-balance?after=${seenUpTo}`);
    expect(difference).to.equal('0');
  });

  it('17. are refunded up to what they were, and not a nano-dollar more', async () => {
    const [call] = await make(planned({}));
    await catchUp();
    const requestId = call?.requestId ?? '';
    const amount = BigInt((await explained(requestId)).amount);
    const refund = (part: bigint): Promise<unknown> =>
      installation.operator.request('POST', `/ledger/charges/${requestId}/refund`, { amount: part.toString(), reason: 'test' });
    const refusal = async (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'done',
        (error: unknown) => /"code":"([a-z_]+)"/.exec(String(error))?.[1] ?? String(error),
      );
    expect(await refusal(refund(amount + 1n))).to.equal('exceeds_charge');
    await refund(amount - 1n);
    expect(await refusal(refund(2n))).to.equal('exceeds_charge');
    await refund(1n);
    expect(await refusal(refund(1n))).to.equal('exceeds_charge');
  });

  it('13. stay at the price that held when the call was admitted', async () => {
    const old = PRICES.input * 40n + PRICES.output * 60n;
    const slow = planned(
      { prompt: 40, cached: 0, tokens: 60, chunk: 2, interval: 30 },
      { streamed: true, usage: { prompt: 40, cached: 0, output: 60 }, ordinary: true },
    );
    const running = make(slow);
    while (!(await installation.upstream.record()).some(({ body }) => body.includes(`"${slow.marker}"`)));
    await installation.operator.publishPrices([DEARER]);
    const [call] = await running;
    await catchUp();
    const before = await explained(call?.requestId ?? '');
    expect(BigInt(before.amount)).to.equal(old);
    expect(before.agrees, 'it is explained by its own list').to.equal(true);

    // The next calls pay by the new list, from some moment on and for good.
    const amounts: bigint[] = [];
    while (amounts.at(-1) !== old * 2n) {
      const [next] = await make(planned({ prompt: 40, cached: 0, tokens: 60 }));
      await catchUp();
      const { amount, agrees } = await explained(next?.requestId ?? '');
      expect(agrees).to.equal(true);
      expect(BigInt(amount) === old || BigInt(amount) === old * 2n).to.equal(true);
      amounts.push(BigInt(amount));
    }
    expect(BigInt((await explained(call?.requestId ?? '')).amount)).to.equal(old);
  });

  it('and the auditor agrees with all of it', async () => {
    await installation.stopServers();
    const log = await installation.openLog();
    const { violations, ledger } = await auditRun({
      log,
      clients: all,
      upstream: await installation.upstream.record(),
      prices: PRICES,
    }).finally(() => log.close());
    expect(violations).to.deep.equal([]);
    expect(ledger.overdrafts).to.equal(2);
    expect(ledger.charges).to.equal(all.filter(({ seen }) => seen === 'complete').length);
  });
});
