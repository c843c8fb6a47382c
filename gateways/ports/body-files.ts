/** Where bytes of a request lie that are too many to be held in memory. Nobody else can read it, and it is gone with the process. */
export interface BodyFile {
  /** Appends. Rejects where the disk is full or failing. */
  append(bytes: Buffer): Promise<void>;
  read(position: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

export interface BodyFiles {
  /** Rejects where no file can be made. */
  open(): Promise<BodyFile>;
}
