import { groupRatios } from '../../../domain/pricing/group-ratios.ts';
import { priceListOf, type PriceListCommand } from '../../../domain/pricing/price-list.ts';
import type { EventOf } from '../../../schemas/events/catalogue.ts';
import { PriceListId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { RATIO_ONE, Ratio, type ModelPrice } from '../../../schemas/price.ts';
import { given } from '../../support/decider-spec.ts';

const priceListId = PriceListId.parse('prl_1');
const list = priceListOf(priceListId);
const rate = (nanos: bigint) => nanos as Money;
const model = (name: string): ModelPrice => ({ model: name, kind: 'chat', rates: { input: rate(1n), output: rate(2n) } });
const details = { title: 'July', effectiveFrom: '2026-08-01T00:00:00.000Z', asOf: '2026-07-31', source: 'public lists' };
const publish = (...models: readonly ModelPrice[]): PriceListCommand => ({ kind: 'publish', ...details, models });
const publishedWith = (price: ModelPrice): EventOf<'PriceListPublished'> => ({
  type: 'PriceListPublished',
  data: { priceListId, ...details, models: [price] },
});
const published = publishedWith(model('a'));

describe('price list', () => {
  it('is published once and never changes', () => {
    given(list)
      .when(publish(model('a')))
      .then(published);
    given(list, published)
      .when(publish(model('a')))
      .refuses('already_exists');
  });

  it('refuses what would be charged at nothing by oversight', () => {
    given(list)
      .when(publish({ model: 'a', kind: 'image', rates: {} }))
      .refuses('invalid_request');
    given(list)
      .when(publish({ model: 'a', kind: 'chat', rates: { input: rate(1n) } }))
      .refuses('invalid_request');
    given(list)
      .when(publish({ model: 'a', kind: 'embedding', rates: { output: rate(0n) } }))
      .refuses('invalid_request');
  });

  it('takes a free model whose rates say so', () => {
    const free: ModelPrice = { model: 'a', kind: 'chat', rates: { input: rate(0n), output: rate(0n) } };
    given(list).when(publish(free)).then(publishedWith(free));
  });

  it('takes a model that is charged by the call and not by the token', () => {
    const perCall: ModelPrice = { model: 'a', kind: 'chat', rates: { call: rate(5n) } };
    given(list).when(publish(perCall)).then(publishedWith(perCall));
  });

  it('refuses a model listed twice and tiers out of order', () => {
    given(list)
      .when(publish(model('a'), model('a')))
      .refuses('invalid_request');
    const tier = (abovePromptTokens: number) => ({ abovePromptTokens, rates: { input: rate(1n) } });
    given(list)
      .when(publish({ ...model('a'), tiers: [tier(2), tier(1)] }))
      .refuses('invalid_request');
    given(list)
      .when(publish({ ...model('a'), tiers: [tier(2), tier(2)] }))
      .refuses('invalid_request');
  });

  it('takes what pictures count as only with a rate for the image', () => {
    const pictures = [{ size: '512x512', pieces: 2 }];
    const painter: ModelPrice = { model: 'a', kind: 'image', rates: { image: rate(5n) }, pictures };
    given(list).when(publish(painter)).then(publishedWith(painter));
    given(list)
      .when(publish({ ...painter, rates: { input: rate(1n), imageOutput: rate(1n) } }))
      .refuses('invalid_request');
  });

  it('is withdrawn', () => {
    const withdrawn = { type: 'PriceListWithdrawn', data: { priceListId, reason: 'typo' } } as const;
    given(list, published).when({ kind: 'withdraw', reason: 'typo' }).then(withdrawn);
    given(list, published, withdrawn).when({ kind: 'withdraw', reason: 'typo' }).changesNothing();
    given(list).when({ kind: 'withdraw', reason: 'typo' }).refuses('not_found');
    given(list, published, withdrawn)
      .when(publish(model('a')))
      .refuses('already_exists');
  });
});

describe('group ratios', () => {
  const half = Ratio.parse(500_000);

  it('are set, and only when they change', () => {
    given(groupRatios)
      .when({ kind: 'setRatio', group: 'vip', ratio: half })
      .then({ type: 'GroupRatioSet', data: { group: 'vip', ratio: half } });
    given(groupRatios, { type: 'GroupRatioSet', data: { group: 'vip', ratio: half } })
      .when({ kind: 'setRatio', group: 'vip', ratio: half })
      .changesNothing();
    given(groupRatios, { type: 'GroupRatioSet', data: { group: 'vip', ratio: half } })
      .when({ kind: 'setRatio', group: 'vip', ratio: RATIO_ONE })
      .then({ type: 'GroupRatioSet', data: { group: 'vip', ratio: RATIO_ONE } });
    given(groupRatios).when({ kind: 'setRatio', group: 'default', ratio: RATIO_ONE }).changesNothing();
  });
});
