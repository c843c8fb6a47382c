import { expect } from 'chai';
import { consoleReads } from '../../../../gateways/console/reads/console-reads.ts';
import type { ConsoleReads, Owner } from '../../../../gateways/ports/console-reads.ts';
import type { Position } from '../../../../schemas/event-envelope.ts';
import { TrialBalance } from '../../../../schemas/http/ledger.ts';
import { OverviewFigures, SpendSeries } from '../../../../schemas/http/overview.ts';
import { RequestHistogram } from '../../../../schemas/http/requests.ts';
import { RequestId, TokenId, UserId } from '../../../../schemas/ids.ts';
import { memoryLog } from '../../../support/memory-log.ts';
import { startProjecting, type Projecting } from '../../../support/projecting.ts';
import type { ReadModels } from '../../../../infra/read-models/read-models.ts';
import { emptyReadModels } from '../../../support/read-models.ts';
import { ALL, answered } from './on-shop.ts';
import { clock, DAY_MS, HOUR_MS, NOW } from './shop.ts';

describe('the console’s reads of an installation where nothing has happened', () => {
  let models: ReadModels;
  let projecting: Projecting;
  let reads: ConsoleReads;
  const log = memoryLog();

  before(async function () {
    this.timeout(60_000);
    models = await emptyReadModels();
    projecting = startProjecting({ feed: log, database: models.database });
    await projecting.reported('state', ({ state }) => state === 'live');
    reads = consoleReads({ sql: models.database, log, board: projecting.board, clock });
  });
  after(async () => {
    await projecting.stop();
    await models.close();
  });

  it('answer with nothing', async () => {
    const range = { from: NOW - DAY_MS, to: NOW };
    const nobody = UserId.parse('usr_none');
    const empty = { rows: [], nextCursor: null };
    for (const owner of ['everybody', nobody] satisfies Owner[]) {
      expect(await reads.keys({ owner }, ALL)).to.deep.equal(empty);
      expect(await reads.requests({ owner, range: {} }, ALL)).to.deep.equal(empty);
      expect(await reads.journal({ owner, range: {}, view: 'entries' }, ALL)).to.deep.equal(empty);
      expect(await reads.ledgerAccounts({ owner }, ALL)).to.deep.equal(empty);
      expect(await reads.topModels(owner, range)).to.deep.equal({ rows: [] });
      const overview = answered(OverviewFigures, await reads.overview(owner, range));
      expect(overview).to.include({ balance: 0n, held: 0n });
      expect(overview.current).to.include({ spend: 0n, requests: 0, firstByteMsP50: null });
      const series = answered(SpendSeries, await reads.spendSeries(owner, range, 'day', 'model'));
      expect(series).to.deep.include({ series: [], names: 0 });
      const histogram = answered(RequestHistogram, await reads.requestHistogram({ owner, range: {} }, range, 24));
      expect(histogram.buckets.map(({ ok, failed }) => ok + failed)).to.deep.equal(Array.from({ length: 24 }, () => 0));
      expect(histogram.stepMs).to.equal(HOUR_MS);
      for await (const row of reads.journalRows({ owner, range: {}, view: 'statement' })) expect.fail(row.entryId);
    }
    expect(await reads.users({}, ALL)).to.deep.equal(empty);
    expect(await reads.channels({})).to.deep.equal({ rows: [] });
    expect(await reads.priceLists()).to.deep.equal({ rows: [] });
    expect(await reads.groupRatios()).to.deep.equal({ rows: [] });
    expect(await reads.modelPrices({ group: 'default' }, ALL)).to.deep.equal({ ...empty, priceListId: null, groupRatio: 1_000_000 });
    expect(await reads.key(TokenId.parse('key_none'))).to.equal(null);
    expect(await reads.request(RequestId.parse('req_none'))).to.equal(null);
    const balance = answered(TrialBalance, await reads.trialBalance());
    expect(balance).to.deep.equal({ position: '0', groups: [], debits: 0n, credits: 0n, difference: 0n });
  });

  it('wait for a position no longer than asked', async () => {
    expect(await reads.waitFor(0n as Position, 0)).to.equal(true);
    expect(await reads.waitFor(1_000n as Position, 1)).to.equal(false);
  });
});
