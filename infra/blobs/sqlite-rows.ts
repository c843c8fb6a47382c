import { chmodSync } from 'node:fs';
import Database from 'libsql';
import type { SealedRows } from './sealed-rows.ts';

/** As for the keys of contents: what is removed is overwritten, and the write-ahead log, which still has it, is emptied at once. */
const SETTINGS = ['journal_mode = wal', 'synchronous = full', 'secure_delete = on', 'busy_timeout = 2000'];

const TABLE = `
create table if not exists blobs (
  id text not null,
  part integer not null,
  user_id text not null,
  tag text not null,
  sealed_key text not null,
  ciphertext blob not null,
  primary key (id, part)
)`;

/** Sealed blobs in the embedded profile, in a file of their own beside the event log. */
export const sqliteRows = (file: string): SealedRows => {
  const db = new Database(file);
  for (const setting of SETTINGS) db.exec(`pragma ${setting}`);
  db.exec(TABLE);
  chmodSync(file, 0o600);
  const insert = db.prepare('insert into blobs values (?, ?, ?, ?, ?, ?) on conflict (id, part) do nothing');
  const replace = db.prepare('update blobs set tag = ?, sealed_key = ?, ciphertext = ? where id = ? and part = ? and tag = ?');
  const select = db.prepare('select tag, sealed_key, ciphertext from blobs where id = ? and part = ?');
  const remove = db.prepare('delete from blobs where id = ?');
  return {
    put: async ({ id, part, userId, tag, sealedKey, ciphertext }, replaces) => {
      if (insert.run(id, part, userId, tag, sealedKey, ciphertext).changes > 0) return true;
      return replaces !== null && replace.run(tag, sealedKey, ciphertext, id, part, replaces).changes > 0;
    },
    get: async (id, part) => {
      const row = select.get(id, part) as { readonly tag: string; readonly sealed_key: string; readonly ciphertext: Buffer } | undefined;
      return row === undefined ? null : { tag: row.tag, sealedKey: row.sealed_key, ciphertext: Buffer.from(row.ciphertext) };
    },
    remove: async (ids) => {
      let removed = 0;
      for (const id of ids) removed += remove.run(id).changes;
      if (removed > 0) db.prepare('pragma wal_checkpoint(truncate)').all();
    },
    close: async () => void db.close(),
  };
};
