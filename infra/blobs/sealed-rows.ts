import type { UserId } from '../../schemas/ids.ts';

/** What of a blob is stored: its own key, sealed under the master key, and what that key encrypted. */
export interface SealedRow {
  readonly id: string;
  readonly part: number;
  readonly userId: UserId;
  readonly tag: string;
  readonly sealedKey: string;
  readonly ciphertext: Buffer;
}

/** Where sealed blobs are. Every method is durable when it resolves. */
export interface SealedRows {
  /** False: another is there, whose tag is not `replaces`. */
  put(row: SealedRow, replaces: string | null): Promise<boolean>;
  get(id: string, part: number): Promise<Pick<SealedRow, 'tag' | 'sealedKey' | 'ciphertext'> | null>;
  remove(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
