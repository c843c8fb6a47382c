import { START, type Position } from '../../schemas/event-envelope.ts';

/** What is remembered of documents that are not in memory: 100 000 take some 15 MB. */
const MOST = 100_000;

/**
 * When documents that are not in memory changed last. All that changed after `knownFrom` is here; of what lies before nothing is known, so
 * that no copy from then can be trusted.
 */
export class RecentChanges {
  readonly #most: number;
  readonly #positions = new Map<string, Position>();
  #knownFrom: Position = START;

  constructor(most = MOST) {
    this.#most = most;
  }

  get most(): number {
    return this.#most;
  }

  /** Begins anew: everything since `knownFrom` is in `changes`, oldest first. */
  reset(knownFrom: Position, changes: readonly (readonly [key: string, position: Position])[] = []): void {
    this.#positions.clear();
    this.#knownFrom = knownFrom;
    for (const [key, position] of changes) this.note(key, position);
  }

  note(key: string, position: Position): void {
    const before = this.#positions.get(key);
    if (position <= this.#knownFrom || (before !== undefined && before >= position)) return;
    this.#positions.delete(key);
    this.#positions.set(key, position);
    if (this.#positions.size <= this.#most) return;
    for (const [oldest, changedAt] of this.#positions) {
      this.#positions.delete(oldest);
      if (changedAt > this.#knownFrom) this.#knownFrom = changedAt;
      break;
    }
  }

  /** Whether a copy that shows events up to `position`, and was the latest as of `asOf`, is the latest still. */
  isCurrent(key: string, position: Position, asOf: Position): boolean {
    return asOf >= this.#knownFrom && position >= (this.#positions.get(key) ?? START);
  }
}
