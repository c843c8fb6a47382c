import { chmodSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import type { EventFilter } from '../../../schemas/event-envelope.ts';
import { STEP_LIMITS } from '../log-step.ts';
import { EXPECTED } from '../prepare-append.ts';
import { APPLICATION_ID, SCHEMA_VERSION, SETTINGS, TABLES } from './log-schema.ts';
import type {
  EventRow,
  FlatAppends,
  FlatOutcomes,
  StepAnswer,
  StepRequest,
  StreamAnswer,
  StreamRequest,
  WorkerSettings,
} from './messages.ts';

type Statement = Database.Statement;

interface KnownStream {
  readonly id: number;
  revision: number;
}

const NO_STREAM = -1;
const CODE = { appended: 0, repeated: 1, conflict: 2 } as const;
const MAX_KNOWN_STREAMS = 50_000;
/** SQLite's number for `synchronous = full`. */
const FULL = 2;

const COLUMNS = `e.position, s.name, e.revision, e.event_id, k.type, e.schema_version, e.recorded_ms, e.data, e.metadata`;
const JOINS = `join streams s on s.stream_id = e.stream_id join kinds k on k.kind_id = e.kind_id`;
const BYTES = `octet_length(e.data) + octet_length(e.metadata)`;

const uuidText = (id: Buffer): string => {
  const hex = id.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

const uuidBytes = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex');

const isUniqueViolation = (error: unknown): boolean => (error as { code?: unknown }).code === 'SQLITE_CONSTRAINT_UNIQUE';

/** A file's name in its folder must be on disk too before anything in it counts as durable. */
const syncFolderOf = (file: string): void => {
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};

/** For its owner alone, whoever may look into the folder. What SQLite makes beside it later gets the mode of the file itself. */
const keepToOwner = (file: string): void => {
  for (const beside of ['', '-wal', '-shm']) chmodSync(`${file}${beside}`, 0o600);
};

/** The event log in one SQLite file. Every call is synchronous: it belongs in a worker thread. */
export class LogFile {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Statement>();
  /** Ends of streams as of `#dataVersion`, which another connection's commit changes. */
  readonly #streams = new Map<string, KnownStream>();
  readonly #kinds = new Map<string, number>();
  #dataVersion = Number.NaN;

  constructor({ file, role, busyTimeoutMs }: WorkerSettings) {
    this.#db = new Database(file);
    try {
      this.#db.exec(`pragma busy_timeout = ${busyTimeoutMs}`);
      if (role === 'writer') {
        this.#db.exec('pragma journal_mode = wal');
        this.#db.exec(SETTINGS);
        this.#checkDurability(file);
        this.#makeTables(file);
        syncFolderOf(file);
      } else {
        this.#db.exec(`${SETTINGS}; pragma query_only = on`);
      }
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Settings that could not be had are ignored silently, and what is acknowledged would then not be on disk. */
  #checkDurability(file: string): void {
    const [mode] = this.#statement('pragma journal_mode').get([]) as [string];
    const level = this.#number('pragma synchronous');
    if (mode !== 'wal' || level !== FULL) {
      throw new Error(
        `${file} cannot be kept durably: its journal mode is ${mode} (wal is needed), its synchronous level ${level} (${FULL} is needed).`,
      );
    }
  }

  #makeTables(file: string): void {
    let isNew = false;
    this.#transaction(() => {
      const version = this.#number('pragma user_version');
      const application = this.#number('pragma application_id');
      const isEmpty = this.#number('select count(*) from sqlite_schema') === 0;
      if (!isEmpty && application !== APPLICATION_ID) throw new Error(`${file} is an SQLite database, but not an event log.`);
      if (version > SCHEMA_VERSION) {
        throw new Error(
          `The event log ${file} has schema version ${version}; this program knows ${SCHEMA_VERSION}. Run the version that made it, or a later one.`,
        );
      }
      if (isEmpty) this.#db.exec(`${TABLES}; pragma application_id = ${APPLICATION_ID}; pragma user_version = ${SCHEMA_VERSION}`);
      isNew = isEmpty;
    });
    if (isNew) keepToOwner(file);
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      if (statement.reader) statement.raw(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #number(sql: string): number {
    return (this.#statement(sql).get([]) as [number])[0];
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('begin immediate');
    try {
      const result = work();
      this.#db.exec('commit');
      return result;
    } catch (error) {
      this.#streams.clear();
      this.#kinds.clear();
      if (this.#db.inTransaction) this.#db.exec('rollback');
      throw error;
    }
  }

  append(appends: FlatAppends): FlatOutcomes {
    return this.#transaction(() => {
      const dataVersion = this.#number('pragma data_version');
      if (dataVersion !== this.#dataVersion || this.#streams.size > MAX_KNOWN_STREAMS) this.#streams.clear();
      this.#dataVersion = dataVersion;
      const outcomes = { recordedMs: Date.now(), codes: [] as number[], revisions: [] as number[], positions: [] as number[] };
      let head = this.head();
      let first = 0;
      for (let i = 0; i < appends.streams.length; i++) {
        head = this.#appendOne(appends, i, first, head, outcomes);
        first += appends.counts[i] as number;
      }
      return outcomes;
    });
  }

  /** Returns the head after the append number `i`, whose events start at `first`. */
  #appendOne(appends: FlatAppends, i: number, first: number, head: number, outcomes: FlatOutcomes): number {
    const name = appends.streams[i] as string;
    const expected = appends.expected[i] as number;
    const count = appends.counts[i] as number;
    let stream = this.#stream(name);
    const end = stream?.revision ?? NO_STREAM;
    const holds = expected === end || expected === EXPECTED.any || (expected === EXPECTED.stream_exists && end >= 0);
    if (holds) {
      stream ??= this.#makeStream(name);
      if (this.#insert(appends, first, count, name, stream, head, outcomes.recordedMs)) {
        stream.revision += count;
        outcomes.codes.push(CODE.appended);
        outcomes.revisions.push(stream.revision);
        outcomes.positions.push(head + count);
        return head + count;
      }
    }
    const repeat = stream === undefined ? undefined : this.#findRepeat(stream, appends.ids, first, count);
    outcomes.codes.push(repeat === undefined ? CODE.conflict : CODE.repeated);
    outcomes.revisions.push(repeat?.revision ?? end);
    outcomes.positions.push(repeat?.position ?? 0);
    return head;
  }

  #stream(name: string): KnownStream | undefined {
    let known = this.#streams.get(name);
    if (known !== undefined) return known;
    const row = this.#statement(
      `select s.stream_id, (select max(e.revision) from events e where e.stream_id = s.stream_id) from streams s where s.name = ?`,
    ).get([name]) as [number, number | null] | undefined;
    if (row === undefined) return undefined;
    known = { id: row[0], revision: row[1] ?? NO_STREAM };
    this.#streams.set(name, known);
    return known;
  }

  #makeStream(name: string): KnownStream {
    this.#statement('insert into streams (name) values (?)').run([name]);
    return this.#stream(name) as KnownStream;
  }

  #kind(category: string, type: string): number {
    const key = `${category}/${type}`;
    let id = this.#kinds.get(key);
    if (id === undefined) {
      this.#statement('insert into kinds (category, type) values (?, ?) on conflict do nothing').run([category, type]);
      id = (this.#statement('select kind_id from kinds where category = ? and type = ?').get([category, type]) as [number])[0];
      this.#kinds.set(key, id);
    }
    return id;
  }

  /** False when some of the ids are in the stream already; nothing of the append is written then. */
  #insert(
    appends: FlatAppends,
    first: number,
    count: number,
    name: string,
    stream: KnownStream,
    head: number,
    recordedMs: number,
  ): boolean {
    const insert = this.#statement('insert into events values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    const category = name.slice(0, name.indexOf('-'));
    if (count > 1) this.#db.exec('savepoint one');
    try {
      for (let k = 0; k < count; k++) {
        const at = first + k;
        insert.run([
          head + k + 1,
          stream.id,
          stream.revision + k + 1,
          uuidBytes(appends.ids[at] as string),
          this.#kind(category, appends.types[at] as string),
          appends.versions[at],
          recordedMs,
          appends.data[at],
          appends.metadata[at],
        ]);
      }
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      if (count > 1) this.#db.exec('rollback to one; release one');
      return false;
    }
    if (count > 1) this.#db.exec('release one');
    return true;
  }

  /** Where the append's events end, when all of them are in the stream in this order, without another one in between. */
  #findRepeat(
    stream: KnownStream,
    ids: readonly string[],
    first: number,
    count: number,
  ): { readonly revision: number; readonly position: number } | undefined {
    const find = this.#statement('select revision, position from events where stream_id = ? and event_id = ?');
    let last: { readonly revision: number; readonly position: number } | undefined;
    for (let k = 0; k < count; k++) {
      const row = find.get([stream.id, uuidBytes(ids[first + k] as string)]) as [number, number] | undefined;
      if (row === undefined || (last !== undefined && row[0] !== last.revision + 1)) return undefined;
      last = { revision: row[0], position: row[1] };
    }
    return last;
  }

  head(): number {
    return this.#number('select coalesce(max(position), 0) from events');
  }

  step({ after, upTo, filter, limit }: StepRequest): StepAnswer {
    // The head comes first: what is read after it and lies at or before it was all there already.
    const head = this.head();
    const end = upTo === undefined ? head : Math.min(upTo, head);
    const places = filter?.categories === undefined && filter?.types === undefined ? undefined : this.#placesOf(filter, after, end, limit);
    const within = places === undefined ? 'e.position > ? and e.position <= ?' : 'e.position in (select value from json_each(?))';
    const which = places === undefined ? [after, end] : [JSON.stringify(places)];
    const { rows, isCut } = this.#rows(within, which, 'e.position', 'asc', limit);
    const isEnd = !isCut && rows.length < limit;
    return { rows, head, through: isEnd ? end : (rows.at(-1) as EventRow)[0] };
  }

  /** The first places of events that a filter wants, over all its kinds. */
  #placesOf(filter: EventFilter, after: number, end: number, limit: number): number[] {
    const { categories, types } = filter;
    const kinds = (this.#statement('select kind_id, category, type from kinds').all([]) as unknown as [number, string, string][]).filter(
      ([, category, type]) => (categories === undefined || categories.includes(category)) && (types === undefined || types.includes(type)),
    );
    const find = this.#statement(
      'select position from events where kind_id = ? and position > ? and position <= ? order by position limit ?',
    );
    return kinds
      .flatMap(([kind]) => (find.all([kind, after, end, limit]) as unknown as [number][]).map(([position]) => position))
      .sort((a, b) => a - b)
      .slice(0, limit);
  }

  stream({ stream, from, limit, isForwards }: StreamRequest): StreamAnswer {
    const within = `e.stream_id = (select stream_id from streams where name = ?) and e.revision ${isForwards ? '>=' : '<='} ?`;
    const rows = this.#rows(within, [stream, from], 'e.revision', isForwards ? 'asc' : 'desc', limit);
    return { rows: rows.rows, isEnd: !rows.isCut && rows.rows.length < limit };
  }

  /** At most `limit` events, cut where their bodies pass the bytes of a step, but never to nothing. */
  #rows(
    within: string,
    which: readonly unknown[],
    key: string,
    order: 'asc' | 'desc',
    limit: number,
  ): { readonly rows: EventRow[]; readonly isCut: boolean } {
    const picked = `from events e where ${within} order by ${key} ${order} limit ?`;
    // Sizes are in the rows' headers; long bodies are not touched for them.
    const [bytes] = this.#statement(`select coalesce(sum(bytes), 0) from (select ${BYTES} as bytes ${picked})`).get([...which, limit]) as [
      number,
    ];
    const fitting = bytes <= STEP_LIMITS.bytes ? limit : this.#fitting(picked, which, limit);
    const rows = this.#statement(`select ${COLUMNS} from (select * ${picked}) e ${JOINS} order by ${key} ${order}`).all([
      ...which,
      fitting,
    ]) as unknown as unknown[][];
    for (const row of rows) row[3] = uuidText(row[3] as Buffer);
    return { rows: rows as unknown as EventRow[], isCut: fitting < limit };
  }

  #fitting(picked: string, which: readonly unknown[], limit: number): number {
    const sizes = this.#statement(`select ${BYTES} ${picked}`).all([...which, limit]) as unknown as [number][];
    let bytes = 0;
    const tooMany = sizes.findIndex(([size], i) => (bytes += size) > STEP_LIMITS.bytes && i > 0);
    return tooMany === -1 ? limit : tooMany;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}
