/** The key of one content, sealed under the master key. */
export interface ContentKey {
  readonly contentId: string;
  readonly sealedKey: string;
}

export interface KeyGroup {
  readonly group: string;
  readonly userId: string;
  /** Milliseconds since the Unix epoch; moves forward for all keys of the group. */
  readonly expiresAt: number;
}

/** Keys of contents, outside of the log. Every method is durable when it resolves, and throws where the keys cannot be reached. */
export interface ContentKeys {
  put(keys: readonly ContentKey[], group: KeyGroup): Promise<void>;
  /** Those that are there and have not expired, by content. */
  get(contentIds: readonly string[], now: number): Promise<ReadonlyMap<string, string>>;
  remove(contentId: string): Promise<void>;
  removeGroup(group: string): Promise<void>;
  removeExpired(now: number): Promise<void>;
  close(): Promise<void>;
}
