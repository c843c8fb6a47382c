/** "oblv" as a number: tells our files from other SQLite files. */
export const APPLICATION_ID = 0x6f626c76;

/** Counts up with each change of the tables; a program refuses a file that is ahead of it. */
export const SCHEMA_VERSION = 1;

/**
 * `synchronous = full`: a commit is on disk before it is acknowledged (`fullfsync` for macOS, where fsync alone does not do it).
 * The write-ahead log is folded back every 4 096 pages, which is seldom enough not to show and keeps the log file small.
 */
export const SETTINGS = `
  pragma synchronous = full;
  pragma fullfsync = on;
  pragma checkpoint_fullfsync = on;
  pragma wal_autocheckpoint = 4096;
  pragma journal_size_limit = 67108864;
  pragma cache_size = -16384;
  pragma temp_store = memory;
`;

export const TABLES = `
create table streams (
  stream_id integer primary key,
  name text not null unique
) strict;
create table kinds (
  kind_id integer primary key,
  category text not null,
  type text not null,
  unique (category, type)
) strict;
create table events (
  position integer primary key,
  stream_id integer not null,
  revision integer not null,
  event_id blob not null,
  kind_id integer not null,
  schema_version integer not null,
  recorded_ms integer not null,
  data text not null,
  metadata text not null
) strict;
create unique index events_by_revision on events (stream_id, revision);
create unique index events_by_id on events (stream_id, event_id);
create index events_by_kind on events (kind_id, position);
create trigger events_stay_as_they_are before update on events begin select raise(abort, 'an event that was recorded is never changed'); end;
create trigger events_stay before delete on events begin select raise(abort, 'an event that was recorded is never removed'); end;
create view readable as
  select e.position, s.name as stream, e.revision, k.type, e.schema_version,
    strftime('%Y-%m-%dT%H:%M:%fZ', e.recorded_ms / 1000.0, 'unixepoch') as recorded_at, lower(hex(e.event_id)) as event_id, e.data, e.metadata
  from events e join streams s using (stream_id) join kinds k using (kind_id);
`;
