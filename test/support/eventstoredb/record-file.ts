import { fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { StoreRecord } from './store-record.ts';

/** Where the store's records outlive its process. */
export interface RecordFile {
  /** What was there when it was opened, oldest first. */
  readonly records: readonly StoreRecord[];
  /** Returns when they are on the disk. */
  append(records: readonly StoreRecord[]): void;
}

interface Line extends Omit<StoreRecord, 'position' | 'data' | 'metadata'> {
  readonly position: string;
  readonly data: string;
  readonly metadata: string;
}

const toLine = (record: StoreRecord): Line => ({
  ...record,
  position: String(record.position),
  data: Buffer.from(record.data).toString('base64'),
  metadata: Buffer.from(record.metadata).toString('base64'),
});

const fromLine = (line: Line): StoreRecord => ({
  ...line,
  position: BigInt(line.position),
  data: Buffer.from(line.data, 'base64'),
  metadata: Buffer.from(line.metadata, 'base64'),
});

/**
 * One line for each append, so that one which was cut short by the end of its process, or of its disk, is there as a whole or not at all.
 * Behind a line that was cut short nothing may be written: `cannotWrite` ends the process, as an event store's own node ends itself when it cannot
 * write its log.
 */
export const openRecordFile = (path: string, cannotWrite: (error: unknown) => never): RecordFile => {
  const file = openSync(path, 'a+', 0o600);
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  ftruncateSync(file, Buffer.byteLength(whole));
  const records = whole
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => (JSON.parse(line) as Line[]).map(fromLine));
  return {
    records,
    append: (appended) => {
      const line = Buffer.from(`${JSON.stringify(appended.map(toLine))}\n`);
      try {
        // A disk that is nearly full takes a part.
        for (let written = 0; written < line.length;) written += writeSync(file, line, written);
        fdatasyncSync(file);
      } catch (error) {
        cannotWrite(error);
      }
    },
  };
};
