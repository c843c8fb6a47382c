import type { ClientBase, QueryResultRow } from 'pg';
import { migrate, schemaVersion, type SchemaHistory } from '../../../projections/engine/migrations.ts';
import type { Sql } from '../../../projections/ports/read-model-database.ts';

/** Advisory locks of this log, `(space, purpose)`; the space is the letters "oblv" as a number. */
const LOCK_SPACE = 0x6f626c76;
const LOCK = { append: 1, migrate: 2 } as const;

/** Channel of the notifications that an append sends; the payload is `writer:position`. */
export const CHANNEL = 'event_log';

const TABLES = `
create table event_log.streams (
  stream_id bigint generated always as identity primary key,
  name text collate "C" not null unique
);
create table event_log.kinds (
  kind_id integer generated always as identity primary key,
  category text collate "C" not null,
  type text collate "C" not null,
  unique (category, type)
);
create table event_log.events (
  position bigint primary key,
  stream_id bigint not null,
  recorded_at timestamptz not null,
  event_id uuid not null,
  revision integer not null,
  kind_id integer not null,
  schema_version integer not null,
  data text collate "C" not null,
  metadata text collate "C" not null
);
create unique index events_by_revision on event_log.events (stream_id, revision);
create unique index events_by_id on event_log.events (stream_id, event_id);
create index events_by_kind on event_log.events (kind_id, position);
-- Long bodies go out of line as they are: packing them costs more than it saves, and encrypted ones do not pack.
alter table event_log.events alter column data set storage external;

create function event_log.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'an event that was recorded is never changed' using errcode = 'object_not_in_prerequisite_state';
end $$;
create trigger events_stay before update or delete or truncate on event_log.events
  for each statement execute function event_log.refuse_change();

create view event_log.readable as
  select e.position, s.name as stream, e.revision, k.type, e.schema_version, e.recorded_at, e.event_id, e.data::json as data, e.metadata::json as metadata
  from event_log.events e
  join event_log.streams s using (stream_id)
  join event_log.kinds k using (kind_id);
`;

const FUNCTIONS = `
-- Whether events with these ids are in a stream: none (present = 0), all of them in this order without another one in between (whole), or some.
create function event_log.find_repeat(in_stream bigint, ids uuid[], out present integer, out whole boolean, out last_revision integer, out last_position bigint)
language plpgsql as $$
begin
  select count(*), count(*) = cardinality(ids) and max(e.revision - n.place) = min(e.revision - n.place), max(e.revision), max(e.position)
  into present, whole, last_revision, last_position
  from unnest(ids) with ordinality n(id, place)
  join event_log.events e on e.stream_id = in_stream and e.event_id = n.id;
end $$;

create function event_log.expectation_holds(expected integer, revision integer) returns boolean language sql immutable as $$
  select expected = revision or expected = -3 or (expected = -2 and revision >= 0)
$$;

-- Appends a batch. Streams and kinds are named once and referred to by place (from 1); appends_* have one element per append, events_* one
-- per event, in order. Outcomes per append: codes 0 appended, 1 repeated, 2 conflict; revisions the append's last or, at a conflict, the
-- stream's (-1 when it does not exist); positions of the append's last event.
create function event_log.append(
  writer text, announce boolean,
  stream_names text[], kind_categories text[], kind_types text[],
  append_streams integer[], append_expected integer[], append_counts integer[],
  event_appends integer[], event_ids uuid[], event_kinds integer[], event_versions integer[], event_data text[], event_metadata text[],
  out recorded_ms bigint, out codes integer[], out revisions integer[], out positions bigint[]
) language plpgsql as $$
declare
  appends constant integer := cardinality(append_streams);
  recorded timestamptz;
  head bigint;
  known_streams bigint[];
  streams bigint[];
  kinds integer[];
  known_ends integer[];
  ends integer[];
  position_shift bigint[];
  revision_shift integer[];
  is_plain boolean := true;
  is_new boolean := false;
  before integer := 0;
  skipped integer := 0;
  made bigint;
  s integer;
  n integer;
  repeat_found record;
begin
  -- Held until the commit is visible, so whoever gets it next sees all that came before: commit order is position order, and positions have no gaps.
  perform pg_advisory_xact_lock(${LOCK_SPACE}, ${LOCK.append});
  recorded := date_trunc('milliseconds', clock_timestamp());
  recorded_ms := extract(epoch from recorded) * 1000;
  select coalesce(max(e.position), 0) into head from event_log.events e;

  select array_agg(st.stream_id order by u.place), array_agg(coalesce(last.revision, -1) order by u.place)
  into known_streams, known_ends
  from unnest(stream_names) with ordinality u(name, place)
  left join event_log.streams st on st.name = u.name
  left join lateral (select e.revision from event_log.events e where e.stream_id = st.stream_id order by e.revision desc limit 1) last on true;

  select array_agg(k.kind_id order by u.place) into kinds
  from unnest(kind_categories, kind_types) with ordinality u(category, type, place)
  left join event_log.kinds k on k.category = u.category and k.type = u.type;
  if array_position(kinds, null) is not null then
    insert into event_log.kinds (category, type)
    select u.category, u.type from unnest(kind_categories, kind_types, kinds) u(category, type, kind_id) where u.kind_id is null;
    select array_agg(k.kind_id order by u.place) into kinds
    from unnest(kind_categories, kind_types) with ordinality u(category, type, place)
    join event_log.kinds k on k.category = u.category and k.type = u.type;
  end if;

  codes := array_fill(0, array[appends]);
  revisions := codes;
  revision_shift := codes;
  positions := array_fill(null::bigint, array[appends]);
  position_shift := positions;
  ends := known_ends;

  -- First as if no event had been recorded before: who may append is a matter of counting, and all rows go in by one statement.
  for i in 1 .. appends loop
    s := append_streams[i];
    n := append_counts[i];
    if append_expected[i] = ends[s] or append_expected[i] = -3 or (append_expected[i] = -2 and ends[s] >= 0) then
      revision_shift[i] := ends[s] - before;
      position_shift[i] := head - skipped;
      is_new := is_new or ends[s] < 0;
      ends[s] := ends[s] + n;
      revisions[i] := ends[s];
      positions[i] := head - skipped + before + n;
    elsif ends[s] <> known_ends[s] then
      -- It may repeat what is about to be written; only one step after the other can tell.
      is_plain := false;
      exit;
    else
      skipped := skipped + n;
      repeat_found := event_log.find_repeat(known_streams[s], event_ids[before + 1 : before + n]);
      if repeat_found.whole then
        codes[i] := 1;
        revisions[i] := repeat_found.last_revision;
        positions[i] := repeat_found.last_position;
      else
        codes[i] := 2;
        revisions[i] := ends[s];
      end if;
    end if;
    before := before + n;
  end loop;

  if is_plain and skipped < before then
    begin
      streams := known_streams;
      if is_new then
        insert into event_log.streams (name)
        select u.name from unnest(stream_names, known_ends, ends) u(name, was, is_now) where u.was < 0 and u.is_now >= 0;
        select array_agg(st.stream_id order by u.place) into streams
        from unnest(stream_names) with ordinality u(name, place) left join event_log.streams st on st.name = u.name;
      end if;
      insert into event_log.events (position, stream_id, recorded_at, event_id, revision, kind_id, schema_version, data, metadata)
      select u.place + position_shift[u.append], streams[append_streams[u.append]], recorded, u.id,
             u.place + revision_shift[u.append], kinds[u.kind], u.version, u.data, u.metadata
      from unnest(event_appends, event_ids, event_kinds, event_versions, event_data, event_metadata)
        with ordinality u(append, id, kind, version, data, metadata, place)
      where position_shift[u.append] is not null;
    exception when unique_violation then
      -- Some of it was recorded before, whatever revision it came with now.
      is_plain := false;
    end;
  end if;

  if not is_plain then
    before := 0;
    skipped := 0;
    streams := known_streams;
    ends := known_ends;
    for i in 1 .. appends loop
      s := append_streams[i];
      n := append_counts[i];
      repeat_found := event_log.find_repeat(streams[s], event_ids[before + 1 : before + n]);
      if repeat_found.whole then
        codes[i] := 1;
        revisions[i] := repeat_found.last_revision;
        positions[i] := repeat_found.last_position;
        skipped := skipped + n;
      elsif repeat_found.present > 0 or not event_log.expectation_holds(append_expected[i], ends[s]) then
        codes[i] := 2;
        revisions[i] := ends[s];
        positions[i] := null;
        skipped := skipped + n;
      else
        if streams[s] is null then
          insert into event_log.streams (name) values (stream_names[s]) returning stream_id into made;
          streams[s] := made;
        end if;
        insert into event_log.events (position, stream_id, recorded_at, event_id, revision, kind_id, schema_version, data, metadata)
        select head - skipped + before + u.place, streams[s], recorded, u.id, ends[s] + u.place, kinds[u.kind], u.version, u.data, u.metadata
        from unnest(event_ids[before + 1 : before + n], event_kinds[before + 1 : before + n], event_versions[before + 1 : before + n],
                    event_data[before + 1 : before + n], event_metadata[before + 1 : before + n])
          with ordinality u(id, kind, version, data, metadata, place);
        ends[s] := ends[s] + n;
        codes[i] := 0;
        revisions[i] := ends[s];
        positions[i] := head - skipped + before + n;
      end if;
      before := before + n;
    end loop;
  end if;

  if announce and skipped < before then
    perform pg_notify('${CHANNEL}', writer || ':' || (head + before - skipped));
  end if;
end $$;
`;

/** What the log keeps in a database. */
const LOG_HISTORY: SchemaHistory = {
  of: 'The events',
  schema: 'event_log',
  table: 'migrations',
  lock: `${LOCK_SPACE}, ${LOCK.migrate}`,
  steps: [TABLES + FUNCTIONS],
};

const sqlOn = (client: ClientBase): Sql => ({
  query: async <Row extends object>(text: string, values?: readonly unknown[]) => {
    const { rows, rowCount } = await client.query<Row & QueryResultRow>(text, values === undefined ? undefined : [...values]);
    return { rows, rowCount: rowCount ?? 0 };
  },
});

/**
 * Makes or brings up to date what the log needs in a database, all in the schema `event_log`. May be run any number of times and by any
 * number of starting processes at once: one does the work, the rest wait for it and find it done.
 *
 * @throws `DatabaseIsNewer` when the database was made by a later version of this program.
 */
export const migrateEventLog = async (client: ClientBase): Promise<void> => {
  await client.query('begin');
  try {
    await migrate(sqlOn(client), LOG_HISTORY);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
};

/** @throws when the database lacks the log's tables or has them in a version that this program cannot use. */
export const checkEventLogSchema = async (client: ClientBase): Promise<void> => {
  if ((await schemaVersion(sqlOn(client), LOG_HISTORY)) < LOG_HISTORY.steps.length)
    throw new Error('This database has no event log of this version: run its migration first.');
};
