import type { UserId } from '../../schemas/ids.ts';

/** Something of a user's that is too large for the log, or has to go when it is deleted. */
export interface Blob {
  readonly id: string;
  /** From 0. */
  readonly part: number;
  readonly userId: UserId;
  /** Says which of several that could stand here this is. */
  readonly tag: string;
  readonly bytes: Buffer;
}

/** Kept outside of the log, as ciphertext, until it is removed; then nothing of it is left. Rejects where it cannot be reached. */
export interface Blobs {
  /** Durable when this resolves. False: another is there, whose tag is not `replaces`. */
  put(blob: Blob, replaces?: string): Promise<boolean>;
  get(id: string, part: number): Promise<Pick<Blob, 'tag' | 'bytes'> | null>;
  /** With all its parts. */
  remove(ids: readonly string[]): Promise<void>;
}
