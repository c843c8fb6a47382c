import { listChannels } from '../../../projections/channels/queries.ts';
import { groupRatios, listPriceLists, priceListAt, priceListById } from '../../../projections/price-lists/queries.ts';
import { RATIO_ONE } from '../../../schemas/price.ts';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import { instant, pageOfRows, type ReadsDeps } from './reads-deps.ts';

type PriceReads = Pick<ConsoleReads, 'priceLists' | 'modelPrices' | 'groupRatios'>;

export const priceReads = ({ sql, clock }: ReadsDeps): PriceReads => ({
  priceLists: async () => {
    const now = instant(clock.now());
    const lists = await listPriceLists(sql);
    // Those that take effect last come first: the first that has done so is in force.
    const current = lists.find(({ withdrawn, effectiveFrom }) => !withdrawn && effectiveFrom <= now);
    return {
      rows: lists.map(({ withdrawn, ...list }) => ({
        ...list,
        status: withdrawn
          ? 'withdrawn'
          : list.effectiveFrom > now
            ? 'upcoming'
            : list.priceListId === current?.priceListId
              ? 'current'
              : 'superseded',
      })),
    };
  },

  modelPrices: async ({ priceListId, search, kind, group }, page) => {
    const list = priceListId === undefined ? await priceListAt(sql, instant(clock.now())) : await priceListById(sql, priceListId);
    const ratio = (await groupRatios(sql)).find((row) => row.group === group)?.ratio ?? RATIO_ONE;
    if (list === null) return { rows: [], nextCursor: null, priceListId: null, groupRatio: ratio };
    const served = new Set(
      (await listChannels(sql)).filter(({ enabled }) => enabled).flatMap(({ settings }) => settings.models.map(({ model }) => model)),
    );
    const wanted = search?.toLowerCase() ?? '';
    const found = list.models
      .filter(
        ({ model, kind: its }) =>
          model.toLowerCase().includes(wanted) &&
          (kind === undefined || its === kind) &&
          (page.cursor === undefined || model > page.cursor),
      )
      .sort((a, b) => (a.model < b.model ? -1 : 1));
    const { rows, nextCursor } = pageOfRows(found, page, ({ model }) => model);
    return {
      rows: rows.map((price) => ({ ...price, served: served.has(price.model) })),
      nextCursor,
      priceListId: list.priceListId,
      groupRatio: ratio,
    };
  },

  groupRatios: async () => ({ rows: [...(await groupRatios(sql))] }),
});
