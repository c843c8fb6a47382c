import type { PriceListEvent } from '../../schemas/events/catalogue.ts';
import { priceListEvents } from '../../schemas/events/price-list.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { PRICE_LISTS, PriceDocument } from './tables.ts';

type PriceEventType = PriceListEvent['type'];

const evolve = (doc: PriceDocument | undefined, event: ProjectedEvent<PriceEventType>): PriceDocument | undefined => {
  const { type, data, revision } = event;
  switch (type) {
    case 'PriceListPublished': {
      const { priceListId, title, effectiveFrom, asOf, source, models } = data;
      return {
        kind: 'list',
        priceListId,
        title,
        effectiveFrom,
        asOf,
        source,
        models,
        withdrawn: false,
        publishedAt: event.occurredAt,
        revision,
      };
    }
    case 'PriceListWithdrawn':
      return doc?.kind === 'list' ? { ...doc, withdrawn: true, revision } : doc;
    case 'GroupRatioSet':
      return { kind: 'ratio', group: data.group, ratio: data.ratio, revision };
  }
};

/** Price lists, and what each group of users pays of them. */
export const priceLists = documentProjection({
  ...PRICE_LISTS,
  types: Object.keys(priceListEvents) as readonly PriceEventType[],
  schema: PriceDocument,
  keyOf: (event) => (event.type === 'GroupRatioSet' ? `ratio:${event.data.group}` : event.data.priceListId),
  evolve,
});
