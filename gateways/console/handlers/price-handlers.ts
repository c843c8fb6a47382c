import { publishPriceList, setGroupRatio, withdrawPriceList } from '../../../commands/prices/publish-price-list.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import type { Handlers } from '../handler.ts';
import { doneAt, pageOf, positionText } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type PriceHandlers = Pick<
  Handlers,
  'listPriceLists' | 'publishPriceList' | 'listModelPrices' | 'listGroupRatios' | 'setGroupRatio' | 'withdrawPriceList'
>;

export const priceHandlers = (deps: HandlerDeps): PriceHandlers => ({
  listPriceLists: () => deps.reads.priceLists(),
  publishPriceList: async ({ body: { effectiveFrom, ...list }, context }) => {
    const published = await publishPriceList(
      deps,
      { ...list, ...(effectiveFrom === undefined ? {} : { effectiveFrom }) },
      context('platform'),
    );
    return isRefusal(published) ? published : { priceListId: published.priceListId, position: positionText(published.position) };
  },
  listModelPrices: ({ caller, query: { priceListId, search, kind, ...page } }) =>
    deps.reads.modelPrices({ priceListId, search, kind, group: caller.kind === 'user' ? caller.group : 'default' }, pageOf(page)),
  listGroupRatios: () => deps.reads.groupRatios(),
  setGroupRatio: async ({ params, body, context }) => doneAt(await setGroupRatio(deps, { ...params, ...body }, context('platform'))),
  withdrawPriceList: async ({ params, body, context }) =>
    doneAt(await withdrawPriceList(deps, { ...params, reason: body.reason ?? '' }, context('platform'))),
});
