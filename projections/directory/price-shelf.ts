import type { PriceListId } from '../../schemas/ids.ts';
import { RATIO_ONE, type Ratio } from '../../schemas/price.ts';
import type { PriceDocument } from '../price-lists/tables.ts';
import type { PriceListEntry } from './entries.ts';

/** What took effect last comes last; of two that took effect together, the one published last. */
const byEffect = ({ list: a }: PriceListEntry, { list: b }: PriceListEntry): number => {
  const left = [a.effectiveFrom, a.publishedAt, a.priceListId].join(' ');
  const right = [b.effectiveFrom, b.publishedAt, b.priceListId].join(' ');
  return left < right ? -1 : left > right ? 1 : 0;
};

/** The price lists that were published, and what groups pay of them. */
export class PriceShelf {
  readonly #lists = new Map<PriceListId, PriceListEntry>();
  readonly #ratios = new Map<string, Ratio>();
  #published: readonly PriceListEntry[] = [];
  #inForce: { readonly entry: PriceListEntry | undefined; readonly from: number; readonly until: number } | null = null;

  changed(key: string, doc: PriceDocument | undefined): void {
    if (doc?.kind === 'ratio') this.#ratios.set(doc.group, doc.ratio);
    else if (doc?.kind === 'list')
      this.#lists.set(doc.priceListId, {
        list: doc,
        prices: this.#lists.get(doc.priceListId)?.prices ?? new Map(doc.models.map((price) => [price.model, price])),
      });
    else {
      this.#lists.delete(key as PriceListId);
      this.#ratios.delete(key.slice(key.indexOf(':') + 1));
    }
    this.#published = [...this.#lists.values()].filter(({ list }) => !list.withdrawn).sort(byEffect);
    this.#inForce = null;
  }

  /** The list in force at a moment, in milliseconds since the Unix epoch. */
  listAt(moment: number): PriceListEntry | undefined {
    if (this.#inForce === null || moment < this.#inForce.from || moment >= this.#inForce.until) {
      const next = this.#published.findIndex(({ list }) => Date.parse(list.effectiveFrom) > moment);
      const entry = next === -1 ? this.#published.at(-1) : this.#published[next - 1];
      const following = next === -1 ? undefined : this.#published[next];
      this.#inForce = {
        entry,
        from: entry === undefined ? -Infinity : Date.parse(entry.list.effectiveFrom),
        until: following === undefined ? Infinity : Date.parse(following.list.effectiveFrom),
      };
    }
    return this.#inForce.entry;
  }

  list(priceListId: PriceListId): PriceListEntry | undefined {
    return this.#lists.get(priceListId);
  }

  /** One, for a group that was given none. */
  ratioOf(group: string): Ratio {
    return this.#ratios.get(group) ?? RATIO_ONE;
  }
}
