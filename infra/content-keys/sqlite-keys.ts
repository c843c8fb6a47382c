import { chmodSync } from 'node:fs';
import Database from 'libsql';
import type { ContentKeys } from './content-keys.ts';

/**
 * A file of its own beside the event log. Removed keys are overwritten (`secure_delete`), and the write-ahead log, which still has them, is
 * emptied at once.
 */
const SETTINGS = 'pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on; pragma busy_timeout = 2000';

const TABLES = `
create table if not exists content_keys (
  content_id text primary key,
  content_group text not null,
  user_id text not null,
  sealed_key text not null,
  expires_ms integer not null
) without rowid;
create index if not exists content_keys_group on content_keys (content_group);
create index if not exists content_keys_expiry on content_keys (expires_ms);
`;

/** Keys of contents in the embedded profile. */
export const sqliteContentKeys = (file: string): ContentKeys => {
  const db = new Database(file);
  for (const pragma of SETTINGS.split('; ')) db.exec(pragma);
  db.exec(TABLES);
  chmodSync(file, 0o600);
  const insert = db.prepare('insert into content_keys values (?, ?, ?, ?, ?)');
  const extend = db.prepare('update content_keys set expires_ms = ? where content_group = ? and expires_ms < ?');
  const select = db.prepare('select sealed_key from content_keys where content_id = ? and expires_ms > ?');
  const remove = db.prepare('delete from content_keys where content_id = ?');
  const removeGroup = db.prepare('delete from content_keys where content_group = ?');
  const removeExpired = db.prepare('delete from content_keys where expires_ms <= ?');
  const forget = (statement: Database.Statement, value: string | number): void => {
    if (statement.run(value).changes > 0) db.prepare('pragma wal_checkpoint(truncate)').all();
  };
  return {
    put: async (keys, { group, userId, expiresAt }) => {
      db.exec('begin immediate');
      try {
        for (const { contentId, sealedKey } of keys) insert.run(contentId, group, userId, sealedKey, expiresAt);
        extend.run(expiresAt, group, expiresAt);
        db.exec('commit');
      } catch (error) {
        db.exec('rollback');
        throw error;
      }
    },
    get: async (contentIds, now) => {
      const found = new Map<string, string>();
      for (const contentId of contentIds) {
        const row = select.get(contentId, now) as { readonly sealed_key: string } | undefined;
        if (row !== undefined) found.set(contentId, row.sealed_key);
      }
      return found;
    },
    remove: async (contentId) => forget(remove, contentId),
    removeGroup: async (group) => forget(removeGroup, group),
    removeExpired: async (now) => forget(removeExpired, now),
    close: async () => void db.close(),
  };
};
