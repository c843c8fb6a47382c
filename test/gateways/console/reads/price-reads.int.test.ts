import { expect } from 'chai';
import { GroupRatios, ModelPricePage, PriceLists } from '../../../../schemas/http/prices.ts';
import { PriceListId } from '../../../../schemas/ids.ts';
import { ALL, answered, describeOnShop, FOREIGN_CURSORS, walk } from './on-shop.ts';
import { LISTS, MODELS } from './shop.ts';

describeOnShop('prices', (shop) => {
  type Filter = Parameters<ReturnType<typeof shop>['reads']['modelPrices']>[0];
  const prices = (filter: Partial<Filter> = {}, limit = 200) =>
    walk(limit, async (page) => answered(ModelPricePage, await shop().reads.modelPrices({ group: 'default', ...filter }, page)));

  it('are in lists, of which one is in force', async () => {
    const statuses = async (now: string) =>
      Object.fromEntries(
        answered(PriceLists, await shop().readsAt(Date.parse(now)).priceLists()).rows.map(({ title, status }) => [title, status]),
      );
    expect(await statuses('2026-03-10T20:00:00Z')).to.deep.equal({
      Next: 'upcoming',
      Mistaken: 'withdrawn',
      Current: 'current',
      Old: 'superseded',
    });
    expect(await statuses('2026-02-01T00:00:00Z')).to.deep.equal({
      Next: 'upcoming',
      Mistaken: 'withdrawn',
      Current: 'upcoming',
      Old: 'current',
    });
    expect(await statuses('2026-06-01T00:00:00Z')).to.deep.include({ Next: 'current', Current: 'superseded' });
    expect(answered(PriceLists, await shop().reads.priceLists()).rows.map(({ models }) => models)).to.deep.equal([9, 9, 9, 9]);
  });

  it('of the list in force are walked once each, by name', async () => {
    for (const limit of [1, 2, 4, 9, 10]) expect((await prices({}, limit)).map(({ model }) => model)).to.deep.equal(['Embed', ...MODELS]);
    const page = await shop().reads.modelPrices({ group: 'default' }, ALL);
    expect(page).to.include({ priceListId: LISTS.current, groupRatio: 1_000_000, nextCursor: null });
    expect(page.rows[1]).to.deep.include({ model: 'm0', kind: 'chat', rates: { input: 2_000_000n, output: 6_000_000n } });
    for (const cursor of FOREIGN_CURSORS)
      expect((await shop().reads.modelPrices({ group: 'default' }, { cursor, limit: 2 })).rows.map(({ model }) => model)).to.deep.equal([
        'Embed',
        'm0',
      ]);
  });

  it('of any list can be asked, and of none are none', async () => {
    const of = async (priceListId: PriceListId) =>
      answered(ModelPricePage, await shop().reads.modelPrices({ priceListId, group: 'vip' }, ALL));
    expect(await of(LISTS.next)).to.deep.include({ priceListId: LISTS.next, groupRatio: 800_000 });
    expect((await of(LISTS.mistaken)).rows.length).to.equal(9);
    expect(await of(PriceListId.parse('prl_none'))).to.deep.equal({ rows: [], nextCursor: null, priceListId: null, groupRatio: 800_000 });
    const before = await shop().readsAt(Date.parse('2025-12-31T00:00:00Z')).modelPrices({ group: 'default' }, ALL);
    expect(before).to.deep.equal({ rows: [], nextCursor: null, priceListId: null, groupRatio: 1_000_000 });
  });

  it('are found by part of a model’s name and by kind', async () => {
    const names = async (filter: Partial<Filter>) => (await prices(filter, 1)).map(({ model }) => model);
    expect(await names({ search: 'EMB' })).to.deep.equal(['Embed']);
    expect(await names({ search: '7' })).to.deep.equal(['m7']);
    expect(await names({ kind: 'embedding' })).to.deep.equal(['Embed']);
    expect(await names({ kind: 'chat', search: 'embed' })).to.deep.equal([]);
    expect(await names({ kind: 'video' })).to.deep.equal([]);
    expect(await names({ search: 'm\0' })).to.deep.equal([]);
  });

  it('say which models a channel that is on serves to the group', async () => {
    const served = async (group: string) => (await prices({ group })).filter((price) => price.served).map(({ model }) => model);
    expect(await served('default')).to.deep.equal(['m0', 'm1', 'm2']);
    expect(await served('vip')).to.deep.equal(['m0', 'm1', 'm2', 'm3']);
  });

  it('differ by the ratios that groups were given', async () => {
    expect(answered(GroupRatios, await shop().reads.groupRatios())).to.deep.equal({ rows: [{ group: 'vip', ratio: 800_000 }] });
  });
});
