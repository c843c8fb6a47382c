import type { JsonObject, Position } from '../../schemas/event-envelope.ts';

export type CachedKind = 'token' | 'user';

/** A document as some process once knew it. */
export interface CachedDocument {
  /** The last event that it shows. */
  readonly position: Position;
  /** Whoever put it there had seen the log up to here, and nothing newer about it. */
  readonly asOf: Position;
  readonly doc: JsonObject;
}

/**
 * Documents that several processes keep for each other. Nothing in it is the truth: whoever reads compares `asOf` with what he knows of the
 * log. It may forget anything at any time, and while it is away everything is a miss. Nothing rejects.
 */
export interface DocumentCache {
  get(kind: CachedKind, key: string): Promise<CachedDocument | null>;
  getAll(kind: CachedKind, keys: readonly string[]): Promise<ReadonlyMap<string, CachedDocument>>;
  /** Puts it there unless something newer is. */
  put(kind: CachedKind, key: string, cached: CachedDocument): Promise<void>;
  /** Drops what does not show the event at `position`. */
  drop(kind: CachedKind, key: string, position: Position): Promise<void>;
  /** Whose key has the hash; that never changes. */
  tokenOf(keyHash: string): Promise<string | null>;
  putTokenOf(keyHash: string, tokenId: string): Promise<void>;
  /** Says that these were used, so that a process that starts can begin with them. */
  used(keys: readonly string[], most: number): Promise<void>;
  /** Keys used last, latest first. */
  lastUsed(most: number): Promise<readonly string[]>;
}
