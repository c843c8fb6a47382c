import type { Blobs } from '../../commands/ports/blobs.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import type { Config } from '../../schemas/config.ts';
import { postgresRows } from './postgres-rows.ts';
import { sealedBlobs } from './sealed-blobs.ts';
import { sqliteRows } from './sqlite-rows.ts';

export interface OpenedBlobs {
  readonly blobs: Blobs;
  close(): Promise<void>;
}

export interface OpenBlobsOptions {
  readonly config: Pick<Config, 'DATABASE_URL'>;
  /** For the embedded profile. */
  readonly file: string;
  readonly secretBox: SecretBox;
}

/** Files and vectors that are kept for users. */
export const openBlobs = ({ config, file, secretBox }: OpenBlobsOptions): OpenedBlobs => {
  const rows = config.DATABASE_URL === undefined ? sqliteRows(file) : postgresRows(config.DATABASE_URL);
  return { blobs: sealedBlobs(rows, secretBox), close: () => rows.close() };
};
