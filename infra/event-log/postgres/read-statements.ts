import { STEP_LIMITS } from '../log-step.ts';

/** Place of each column in a row of the statements below. `found` counts the rows there were before the cut by bytes. */
export const COLUMN = {
  position: 0,
  stream: 1,
  revision: 2,
  eventId: 3,
  type: 4,
  schemaVersion: 5,
  recordedEpoch: 6,
  data: 7,
  metadata: 8,
  found: 9,
  head: 10,
} as const;

const COLUMNS = `e.position, s.name, e.revision, e.event_id, k.type, e.schema_version, date_part('epoch', e.recorded_at), e.data, e.metadata, e.found`;

/** Rows of `picked`, cut where their bodies pass the bytes of a step, but never to nothing. Sizes are known without fetching long bodies. */
const rows = (picked: string, order: string): string => `
  select ${COLUMNS} from (
    select * from (
      select p.*, count(*) over () as found,
        sum(octet_length(p.data) + octet_length(p.metadata)) over (order by ${order} rows between unbounded preceding and 1 preceding) as bytes_before
      from (${picked}) p
    ) sized where coalesce(bytes_before, 0) < ${STEP_LIMITS.bytes}
  ) e
  join event_log.streams s on s.stream_id = e.stream_id
  join event_log.kinds k on k.kind_id = e.kind_id`;

// One statement is one snapshot: what lies at or before the head and is not among the rows does not exist. Always yields a row, for the head.
const step = (picked: string): string => `
  with head as materialized (select coalesce(max(position), 0) as position from event_log.events)
  select e.*, head.position from head left join (${rows(picked, 'p.position')}) e on true order by e.position`;

const END = 'least($2::bigint, (select position from head))';

export const HEAD = { name: 'head', text: 'select coalesce(max(position), 0) from event_log.events' } as const;

/** After $1, up to $2 (or the head), at most $3 rows. */
export const STEP_OF_ALL = {
  name: 'step_of_all',
  text: step(`select * from event_log.events where position > $1::bigint and position <= ${END} order by position limit $3`),
} as const;

/** The same, of the categories $4 and the types $5 where these are given: per wanted kind the first few places, then the first few of those. */
export const STEP_OF_SOME = {
  name: 'step_of_some',
  text: step(`
    select wanted.* from (
      select place.position from event_log.kinds kind cross join lateral (
        select x.position from event_log.events x
        where x.kind_id = kind.kind_id and x.position > $1::bigint and x.position <= ${END}
        order by x.position limit $3
      ) place
      where ($4::text[] is null or kind.category = any ($4)) and ($5::text[] is null or kind.type = any ($5))
      order by place.position limit $3
    ) places join event_log.events wanted on wanted.position = places.position`),
} as const;

const inStream = (comparison: string, order: string): string =>
  `${rows(
    `select * from event_log.events
     where stream_id = (select stream_id from event_log.streams where name = $1) and revision ${comparison} $2
     order by revision ${order} limit $3`,
    `p.revision ${order}`,
  )} order by e.revision ${order}`;

/** Of stream $1 from revision $2, at most $3 rows. */
export const STREAM_FORWARDS = { name: 'stream_forwards', text: inStream('>=', 'asc') } as const;
export const STREAM_BACKWARDS = { name: 'stream_backwards', text: inStream('<=', 'desc') } as const;
