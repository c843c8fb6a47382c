import type { z } from 'zod';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import { servedModels } from '../../../projections/channels/queries.ts';
import {
  groupRatios,
  isPriceList,
  listPriceLists,
  modelPrices,
  priceListIdAt,
  ratioOfGroup,
  type PriceListSummary,
} from '../../../projections/price-lists/queries.ts';
import type { PriceListView } from '../../../schemas/http/prices.ts';
import { RATIO_ONE } from '../../../schemas/price.ts';
import { given, instantOf } from './asked.ts';
import { CursorName, cursorsOf } from './cursor.ts';
import { readPage } from './page.ts';
import type { ReadsDeps } from './reads-deps.ts';

type View = z.output<typeof PriceListView>;

const cursors = cursorsOf(CursorName);

/** `lists` as the query orders them: of those in effect the first is the one in force. */
const withStatus = (lists: readonly PriceListSummary[], now: number): View[] => {
  const isUpcoming = ({ effectiveFrom }: PriceListSummary): boolean => Date.parse(effectiveFrom) > now;
  const current = lists.find((list) => !list.withdrawn && !isUpcoming(list));
  const statusOf = (list: PriceListSummary): View['status'] => {
    if (list.withdrawn) return 'withdrawn';
    if (isUpcoming(list)) return 'upcoming';
    return list === current ? 'current' : 'superseded';
  };
  return lists.map((list) => {
    const { withdrawn: _withdrawn, ...shown } = list;
    return { ...shown, status: statusOf(list) };
  });
};

export const priceReads = ({ sql, clock }: ReadsDeps): Pick<ConsoleReads, 'priceLists' | 'modelPrices' | 'groupRatios'> => ({
  priceLists: async () => ({ rows: withStatus(await listPriceLists(sql), clock.now()) }),

  modelPrices: async ({ priceListId: asked, group, ...filter }, page) => {
    const groupRatio = (await ratioOfGroup(sql, group)) ?? RATIO_ONE;
    const priceListId = asked ?? (await priceListIdAt(sql, instantOf(clock.now())));
    if (priceListId === null || (asked !== undefined && !(await isPriceList(sql, asked))))
      return { rows: [], nextCursor: null, priceListId: null, groupRatio };
    const { rows, nextCursor } = await readPage(
      page,
      cursors,
      (after, limit) => modelPrices(sql, { priceListId, ...given({ ...filter, after }), limit }),
      ({ model }) => model,
    );
    const served = await servedModels(
      sql,
      group,
      rows.map(({ model }) => model),
    );
    return { rows: rows.map((price) => ({ ...price, served: served.has(price.model) })), nextCursor, priceListId, groupRatio };
  },

  groupRatios: async () => ({ rows: [...(await groupRatios(sql))] }),
});
