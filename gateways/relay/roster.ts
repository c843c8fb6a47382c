/** What stands on a {@link Roster}: it knows its own place. */
export interface Listed {
  /** Kept by the roster; -1 while it stands on none. */
  place: number;
}

/**
 * Who is there now, in no order. Not a `Set`: V8 makes a set anew after every few dozen comings and goings, and each one that
 * it leaves behind points to the next and to all that stood in it, so that half of all finished calls stayed in memory, and
 * were moved to the old generation, until the next full collection.
 */
export class Roster<Item extends Listed> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Does nothing to what stands here already. */
  add(item: Item): void {
    if (item.place >= 0) return;
    item.place = this.#items.push(item) - 1;
  }

  /** Does nothing to what does not stand here. */
  delete(item: Item): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#items.pop() as Item;
    if (last === item) return;
    this.#items[place] = last;
    last.place = place;
  }

  /** As they stand now: whoever goes through them may add and delete. */
  all(): readonly Item[] {
    return [...this.#items];
  }
}
