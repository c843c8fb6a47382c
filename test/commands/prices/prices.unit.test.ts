import { expect } from 'chai';
import { publishPriceList, setGroupRatio, withdrawPriceList } from '../../../commands/prices/publish-price-list.ts';
import type { Money } from '../../../schemas/money.ts';
import { Ratio } from '../../../schemas/price.ts';
import { commandBench } from '../../support/command-bench.ts';
import { done, refused } from '../../support/refused.ts';

const list = {
  title: 'First',
  asOf: '2026-01-01',
  source: 'test',
  models: [{ model: 'a', kind: 'chat' as const, rates: { input: 1n as Money, output: 2n as Money } }],
};

describe('prices', () => {
  it('are in force at once unless a time is given', async () => {
    const bench = commandBench();
    done(await publishPriceList(bench, list, bench.context()));
    done(await publishPriceList(bench, { ...list, effectiveFrom: '2027-01-01T00:00:00.000Z' }, bench.context()));
    expect(
      bench.eventsOf('pricelist').map((event) => (event.type === 'PriceListPublished' ? event.data.effectiveFrom : null)),
    ).to.deep.equal(['2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z']);
  });

  it('are published once by one command', async () => {
    const bench = commandBench();
    const first = done(await publishPriceList(bench, list, bench.context('same')));
    expect(done(await publishPriceList(bench, list, bench.context('same')))).to.deep.equal(first);
    expect(refused(await publishPriceList(bench, { ...list, title: 'Second' }, bench.context('same'))).refused).to.equal(
      'idempotency_conflict',
    );
  });

  it('are withdrawn, and set for groups', async () => {
    const bench = commandBench();
    const { priceListId } = done(await publishPriceList(bench, list, bench.context()));
    done(await withdrawPriceList(bench, { priceListId, reason: 'typo' }, bench.context()));
    done(await setGroupRatio(bench, { group: 'vip', ratio: Ratio.parse(500_000) }, bench.context()));
    expect(bench.told()).to.deep.equal(['pricelist PriceListPublished', 'pricelist PriceListWithdrawn', 'pricelist GroupRatioSet']);
  });
});
