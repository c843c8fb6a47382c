/** Where the files of exports are kept: a directory, or an object store. */
export interface ExportStore {
  /** All of it or nothing: whoever reads meanwhile sees no part. Replaces what had the name. Rejects when the signal aborts or the bytes fail. */
  write(name: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** `null` when there is no such file here. */
  read(name: string): Promise<{ readonly bytes: number; readonly content: AsyncIterable<Uint8Array> } | null>;
  /** Also when there is none. */
  remove(name: string): Promise<void>;
}
