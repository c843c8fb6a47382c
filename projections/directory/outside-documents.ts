import { z } from 'zod';
import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import { START } from '../../schemas/event-envelope.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import type { StreamName } from '../../schemas/ids.ts';
import { foldDocument, type DocumentAt } from '../engine/document-rows.ts';
import { ENGINE_SCHEMA } from '../engine/engine-schema.ts';
import { decodeForProjection } from '../engine/event-decoding.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { tableName, type DocumentProjection } from '../engine/projection.ts';
import { ReadModelsUnavailable } from '../engine/read-models-unavailable.ts';
import type { CachedKind, DocumentCache } from '../ports/document-cache.ts';
import type { Sql } from '../ports/read-model-database.ts';
import type { HeldDocuments } from './held-documents.ts';

/** Where a document that was not in memory was found, or why it was not. `stale`: a cached copy was too old to be believed. */
export type LookupOutcome = 'cache' | 'stale' | 'database' | 'log' | 'unknown' | 'unavailable';

/** A row of the database, or that there is none, as of its checkpoint. */
interface Row {
  readonly asOf: Position;
  readonly key: string | null;
  readonly position: Position | null;
  readonly doc: unknown;
  /** An event about it is parked, which the row does not show. */
  readonly blocked: boolean;
}

export interface OutsideDeps {
  readonly sql: Sql;
  readonly cache: DocumentCache | null;
  readonly readStream: (stream: StreamName) => AsyncIterable<RecordedEvent>;
  /** Everything at or before it has been seen. */
  readonly position: () => Position;
  readonly report: (kind: CachedKind, outcome: LookupOutcome) => void;
}

/** A document whose events keep coming while it is read is given up after so many times. */
const READS = 3;

/** Documents of one projection that are not in memory: from the cache, else from the rows, else from their own stream of the log. */
export class OutsideDocuments<Type extends EventType, Doc> {
  readonly #kind: CachedKind;
  readonly #held: HeldDocuments<Type, Doc>;
  readonly #deps: OutsideDeps;
  /** What goes into the cache of a document, and what comes out of it. */
  readonly #schema: DocumentProjection<Type, Doc>['schema'];
  readonly #forCache: (doc: Doc) => Doc;

  constructor(kind: CachedKind, held: HeldDocuments<Type, Doc>, deps: OutsideDeps, forCache: (doc: Doc) => Doc = (doc) => doc) {
    this.#kind = kind;
    this.#held = held;
    this.#deps = deps;
    this.#schema = held.projection.schema;
    this.#forCache = forCache;
  }

  /** Takes it into memory from the cache, if what is there can be believed. */
  async fromCache(key: string): Promise<Doc | undefined> {
    const cached = await this.#deps.cache?.get(this.#kind, key);
    if (cached === undefined || cached === null) return undefined;
    const found = this.#held.believed(key, cached, this.#deps.position());
    this.#deps.report(this.#kind, found === undefined ? 'stale' : 'cache');
    if (found !== undefined) this.#held.takeIn(key, found);
    return found?.doc;
  }

  /** Takes it into memory from the row that `condition` finds by `value`. `undefined`: there is none as of the position. */
  async fromRows(condition: string, value: string): Promise<{ readonly doc: Doc | undefined; readonly asOf: Position }> {
    const { name, version } = this.#held.projection;
    const category = this.#kind;
    const { rows } = await this.#deps.sql.query<Row>(
      `SELECT c.position AS "asOf", d.key, d.position, d.doc,
          EXISTS (SELECT FROM ${ENGINE_SCHEMA}.parked_event p WHERE p.projection = $2 AND p.version = $3 AND p.stream = $4 || d.key) AS blocked
       FROM ${ENGINE_SCHEMA}.checkpoint c LEFT JOIN ${tableName(name, version)} d ON ${condition}
       WHERE c.projection = $2 AND c.version = $3 AND c.build = 'live'`,
      [value, name, version, `${category}-`],
    );
    const [row] = rows;
    if (row === undefined) throw new ReadModelsUnavailable(`${name} has not been projected yet`);
    const { key, position, asOf } = row;
    if (key === null || position === null) return { doc: undefined, asOf };
    if (this.#held.isDistrusted(key)) return { doc: undefined, asOf };
    if (row.blocked || !this.#held.isCurrent(key, position, asOf)) return { doc: await this.#fromLog(key), asOf };
    const doc = this.#schema.parse(row.doc);
    this.#deps.report(this.#kind, 'database');
    return { doc: this.#found(key, { doc, position }, asOf), asOf };
  }

  /** Its own stream is what cannot be behind. */
  async #fromLog(key: string): Promise<Doc | undefined> {
    for (let reads = 0; reads < READS; reads++) {
      const asOf = this.#deps.position();
      let at: DocumentAt<Doc> = { doc: undefined, position: START };
      for await (const recorded of this.#deps.readStream(`${this.#kind}-${key}` as StreamName)) {
        const decoding = decodeForProjection(recorded);
        if (decoding.outcome === 'undecodable') {
          this.#held.distrust(key);
          return undefined;
        }
        if (decoding.outcome === 'decoded') at = foldDocument(this.#held.projection, at, decoding.event as ProjectedEvent<Type>) ?? at;
      }
      if (this.#held.isDistrusted(key)) return undefined;
      if (at.doc === undefined || !this.#held.isCurrent(key, at.position, asOf)) continue;
      this.#deps.report(this.#kind, 'log');
      return this.#found(key, { doc: at.doc, position: at.position }, asOf);
    }
    throw new ReadModelsUnavailable(`${key} changes faster than it can be read`);
  }

  #found(key: string, { doc, position }: { readonly doc: Doc; readonly position: Position }, asOf: Position): Doc {
    this.#held.takeIn(key, { doc, position });
    const seen = this.#deps.position();
    void this.#deps.cache?.put(this.#kind, key, {
      position,
      asOf: seen > asOf ? seen : asOf,
      doc: z.encode(this.#schema, this.#forCache(doc)),
    });
    return doc;
  }
}
