import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import { START } from '../../schemas/event-envelope.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import { foldDocument, type DocumentAt } from '../engine/document-rows.ts';
import { decodeForProjection } from '../engine/event-decoding.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import type { DocumentProjection } from '../engine/projection.ts';

/** A document changed; `undefined`: it is gone, or not to be trusted any more. */
export type DocumentChange<Doc> = (key: string, doc: Doc | undefined, before: Doc | undefined) => void;

/** The documents of one projection in memory, folded on from wherever the rows of the database stood. */
export class HeldDocuments<Type extends EventType, Doc> {
  readonly projection: DocumentProjection<Type, Doc>;
  readonly #changed: DocumentChange<Doc>;
  readonly #types: ReadonlySet<string>;
  readonly #documents = new Map<string, DocumentAt<Doc>>();
  #from: Position = START;

  constructor(projection: DocumentProjection<Type, Doc>, changed: DocumentChange<Doc>) {
    this.projection = projection;
    this.#changed = changed;
    this.#types = new Set(projection.types);
  }

  /** Starts from rows that show everything up to a position. */
  load(rows: ReadonlyMap<string, DocumentAt<Doc>>, position: Position): void {
    for (const [key, { doc }] of this.#documents) if (!rows.has(key)) this.#changed(key, undefined, doc);
    for (const [key, { doc }] of rows) this.#changed(key, doc, this.#documents.get(key)?.doc);
    this.#documents.clear();
    for (const [key, row] of rows) this.#documents.set(key, row);
    this.#from = position;
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
      const before = this.#documents.get(key);
      const next = foldDocument(this.projection, before, event);
      if (next === undefined || next === before) return null;
      this.#documents.set(key, next);
      this.#changed(key, next.doc, before?.doc);
      return null;
    } catch (error) {
      this.#distrust(recorded);
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** The document stays gone for good: later events find a place that is newer than they are. */
  #distrust({ stream }: RecordedEvent): void {
    const key = stream.slice(stream.indexOf('-') + 1);
    const before = this.#documents.get(key);
    this.#documents.set(key, { doc: undefined, position: 9_223_372_036_854_775_807n as Position });
    if (before?.doc !== undefined) this.#changed(key, undefined, before.doc);
  }
}
