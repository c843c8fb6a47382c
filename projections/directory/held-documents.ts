import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import { START } from '../../schemas/event-envelope.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import { foldDocument, type DocumentAt } from '../engine/document-rows.ts';
import { decodeForProjection } from '../engine/event-decoding.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import type { DocumentProjection } from '../engine/projection.ts';
import { RecentChanges } from './recent-changes.ts';

export interface DocumentListener<Doc> {
  /** A document changed; `undefined`: it is gone, or not to be trusted any more. */
  changed(key: string, doc: Doc | undefined, before: Doc | undefined): void;
  /** An event concerns a document that is not in memory. */
  changedOutside?(key: string, position: Position): void;
  /** A document leaves memory to make room; nothing about it has changed. */
  forgotten?(key: string, doc: Doc): void;
  /** Whether it was looked up since this was asked last. */
  wasUsed?(key: string, doc: Doc): boolean;
}

export interface Bound {
  /** Most documents in memory. */
  readonly most: number;
  readonly changes: RecentChanges;
}

/** Where all are used, somebody goes all the same, and nobody waits for all of them to be looked at. */
const SPARED = 64;

const UNBOUND: Bound = { most: Infinity, changes: new RecentChanges(0) };

/** Which documents a load brings. */
export type Extent =
  /** All there are. They all stay: `bounded` says whether those that nobody uses may leave later. */
  | { readonly kind: 'all'; readonly bounded: boolean }
  /** Some; of the others it is known what changed since `knownFrom`. */
  | { readonly kind: 'some'; readonly knownFrom: Position; readonly changes: readonly (readonly [string, Position])[] };

/** The documents of one projection in memory, folded on from wherever the rows of the database stood. */
export class HeldDocuments<Type extends EventType, Doc> {
  readonly projection: DocumentProjection<Type, Doc>;
  readonly #listener: DocumentListener<Doc>;
  readonly #types: ReadonlySet<string>;
  readonly #bound: Bound;
  readonly #documents = new Map<string, DocumentAt<Doc>>();
  readonly #distrusted = new Set<string>();
  #from: Position = START;
  #most = Infinity;
  #complete = true;

  constructor(projection: DocumentProjection<Type, Doc>, listener: DocumentListener<Doc>, bound = UNBOUND) {
    this.projection = projection;
    this.#listener = listener;
    this.#types = new Set(projection.types);
    this.#bound = bound;
  }

  /** Every document there is, is in memory. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Starts from rows that show everything up to a position. */
  load(rows: ReadonlyMap<string, DocumentAt<Doc>>, position: Position, extent: Extent = { kind: 'all', bounded: false }): void {
    for (const [key, { doc }] of this.#documents) {
      if (rows.has(key) || doc === undefined) continue;
      if (extent.kind === 'some') this.#listener.forgotten?.(key, doc);
      else this.#listener.changed(key, undefined, doc);
    }
    for (const [key, { doc }] of rows) this.#listener.changed(key, doc, this.#documents.get(key)?.doc);
    this.#documents.clear();
    this.#distrusted.clear();
    for (const [key, row] of rows) this.#documents.set(key, row);
    this.#from = position;
    this.#complete = extent.kind === 'all';
    this.#most = extent.kind === 'some' || extent.bounded ? this.#bound.most : Infinity;
    if (extent.kind === 'some') this.#bound.changes.reset(extent.knownFrom, extent.changes);
    else this.#bound.changes.reset(position);
    this.#makeRoom();
  }

  /**
   * Folds an event in. One that cannot be understood takes its stream's document away: who might have been locked out by it is
   * locked out. Answers with the failure.
   */
  apply(recorded: RecordedEvent): Error | null {
    if (!this.#types.has(recorded.type) || recorded.position <= this.#from) return null;
    const decoding = decodeForProjection(recorded);
    if (decoding.outcome === 'unknown') return null;
    if (decoding.outcome === 'undecodable') {
      this.#distrust(recorded);
      return decoding.error;
    }
    try {
      const event = decoding.event as ProjectedEvent<Type>;
      const key = this.projection.keyOf(event);
      if (this.#distrusted.has(key)) return null;
      const before = this.#documents.get(key);
      const next = foldDocument(this.projection, before, event);
      if (next === undefined || next === before) return null;
      if (next.doc === undefined && before === undefined && !this.#complete) {
        this.#bound.changes.note(key, event.position);
        this.#listener.changedOutside?.(key, event.position);
        return null;
      }
      this.#documents.set(key, next);
      this.#listener.changed(key, next.doc, before?.doc);
      this.#makeRoom();
      return null;
    } catch (error) {
      this.#distrust(recorded);
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Of how many documents outside of memory it is remembered when they changed. */
  get changesKept(): number {
    return this.#bound.changes.most;
  }

  /** The document of a copy that is the latest. `seen`: how far the log has been; a copy from beyond may be of another log. */
  believed(
    key: string,
    copy: { readonly position: Position; readonly asOf: Position; readonly doc: unknown },
    seen: Position,
  ): DocumentAt<Doc> | undefined {
    if (copy.asOf > seen || this.isDistrusted(key) || !this.isCurrent(key, copy.position, copy.asOf)) return undefined;
    const parsed = this.projection.schema.safeParse(copy.doc);
    return parsed.success ? { doc: parsed.data, position: copy.position } : undefined;
  }

  isDistrusted(key: string): boolean {
    return this.#distrusted.has(key);
  }

  /** Whether a copy from elsewhere, the latest as of a position of the log, is the latest as far as this process knows. */
  isCurrent(key: string, position: Position, asOf: Position): boolean {
    return this.#bound.changes.isCurrent(key, position, asOf);
  }

  /** Takes in a document that {@link isCurrent}. */
  takeIn(key: string, current: DocumentAt<Doc>): void {
    if (this.#documents.has(key) || this.#distrusted.has(key)) return;
    this.#documents.set(key, current);
    this.#listener.changed(key, current.doc, undefined);
    this.#makeRoom();
  }

  /** The document stays gone for good. */
  distrust(key: string): void {
    this.#distrusted.add(key);
    const before = this.#documents.get(key);
    this.#documents.delete(key);
    if (before?.doc !== undefined) this.#listener.changed(key, undefined, before.doc);
  }

  #distrust({ stream }: RecordedEvent): void {
    this.distrust(stream.slice(stream.indexOf('-') + 1));
  }

  /** Who was not used since he stood in front last goes; who was goes to the end of the line. */
  #makeRoom(): void {
    if (this.#documents.size <= this.#most) return;
    let spared = 0;
    for (const [key, at] of this.#documents) {
      if (this.#documents.size <= this.#most) return;
      this.#documents.delete(key);
      if (at.doc !== undefined && spared < SPARED && this.#listener.wasUsed?.(key, at.doc) === true) {
        spared++;
        this.#documents.set(key, at);
        continue;
      }
      this.#complete = false;
      this.#bound.changes.note(key, at.position);
      if (at.doc !== undefined) this.#listener.forgotten?.(key, at.doc);
    }
  }
}
