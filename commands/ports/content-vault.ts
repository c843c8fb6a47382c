/** Something personal that goes into the log as ciphertext. */
export interface Content {
  /** Where it stands; its ciphertext opens nowhere else. */
  readonly contentId: string;
  readonly bytes: Buffer;
}

export interface SealedContent {
  readonly contentId: string;
  /** Base64. */
  readonly ciphertext: string;
}

/** Whose contents belong together, and how long. */
export interface ContentOwner {
  /** They can be made unreadable together. */
  readonly group: string;
  readonly userId: string;
  /** Milliseconds since the Unix epoch: when all of the group's keys are destroyed, if nothing is added to it until then. */
  readonly expiresAt: number;
}

/**
 * Encrypts what is personal, each under a key of its own that lies outside of the log: destroying the key makes the content unreadable
 * wherever a copy of its ciphertext is. Throws `KeysUnavailable` where the keys cannot be reached.
 */
export interface ContentVault {
  /** The keys are durable when this resolves. Answers in the order given. */
  seal(contents: readonly Content[], owner: ContentOwner): Promise<readonly string[]>;
  /** `null` for what has no key any more. Throws for a ciphertext that was altered. */
  open(sealed: readonly SealedContent[]): Promise<readonly (Buffer | null)[]>;
  destroyGroup(group: string): Promise<void>;
  destroy(contentId: string): Promise<void>;
}
