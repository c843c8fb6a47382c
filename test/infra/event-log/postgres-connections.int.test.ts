import { expect } from 'chai';
import pg from 'pg';
import sinon from 'sinon';
import { LogUnavailable } from '../../../commands/log-unavailable.ts';
import type { AppendOutcome, EventLog } from '../../../commands/ports/event-log.ts';
import type { LogFault } from '../../../infra/event-log/log-fault.ts';
import { migrateEventLog } from '../../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import type { OpenPostgresLogOptions } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { STEP_OF_ALL, STEP_OF_SOME, STREAM_BACKWARDS, STREAM_FORWARDS } from '../../../infra/event-log/postgres/read-statements.ts';
import { START } from '../../../schemas/event-envelope.ts';
import type { LogMessage } from '../../../schemas/event-envelope.ts';
import { startCuttingProxy } from '../../support/cutting-proxy.ts';
import type { CuttingProxy } from '../../support/cutting-proxy.ts';
import { appendOne, appendSurely, appendTo, collect, newEvent, newEvents, stream } from '../../support/log-events.ts';
import { startPostgres } from '../../support/postgres.ts';
import type { PostgresServer } from '../../support/postgres-cluster.ts';

const HOUR_MS = 3_600_000;
const APPEND = Buffer.from('append\0');

describe('the event log on PostgreSQL, its connections', function () {
  this.timeout(60_000);
  let server: PostgresServer;
  let proxy: CuttingProxy;
  let admin: pg.Client;
  let url: string;
  let databases = 0;
  const opened: EventLog[] = [];
  const faults: LogFault[] = [];
  const aborts: AbortController[] = [];

  const query = async <T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> =>
    (await admin.query<T>(text, values)).rows;
  const open = async (options: Partial<OpenPostgresLogOptions> = {}): Promise<EventLog> => {
    const log = await openPostgresLog({ connectionString: url, onFault: (fault) => faults.push(fault), ...options });
    opened.push(log);
    return log;
  };
  const proxied = (): string => {
    const changed = new URL(url);
    changed.port = String(proxy.port);
    return changed.href;
  };
  const follow = (log: EventLog): AsyncIterator<LogMessage> => {
    const abort = new AbortController();
    aborts.push(abort);
    return log.subscribe({ after: START, signal: abort.signal })[Symbol.asyncIterator]();
  };
  /** Takes messages until one has events, and returns their ids. */
  const nextIds = async (messages: AsyncIterator<LogMessage>): Promise<string[]> => {
    for (;;) {
      const { value } = (await messages.next()) as { readonly value: LogMessage };
      if (value.kind === 'events') return value.events.map(({ eventId }) => eventId);
    }
  };
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) await new Promise(setImmediate);
  };

  /** Takes the lock that appends take, in the transaction under way. */
  const holdLock = async (): Promise<void> => {
    const sources = await query<{ call: string }>(
      `select substring(prosrc from 'pg_advisory_xact_lock[^;]*') as call from pg_proc where proname = 'append' and pronamespace = 'event_log'::regnamespace`,
    );
    await query(`select ${(sources[0] as { readonly call: string }).call}`);
  };
  /** Takes messages until an append of another process was heard of by notification: from then on nothing else is due. */
  const listening = async (other: EventLog, messages: AsyncIterator<LogMessage>): Promise<void> => {
    await messages.next();
    await until(
      async () => (await query(`select 1 from pg_stat_activity where datname = current_database() and query like 'listen%'`)).length === 1,
    );
    await appendOne(other, appendTo('test-first', 'any'));
    await nextIds(messages);
    await messages.next();
    await appendOne(other, appendTo('test-first', 'any'));
    await nextIds(messages);
    await messages.next();
  };

  before(async () => {
    server = await startPostgres();
    proxy = await startCuttingProxy({ host: '127.0.0.1', port: server.port });
  });
  beforeEach(async () => {
    const maker = new pg.Client({ connectionString: server.connectionString });
    await maker.connect();
    const name = `log${(databases += 1)}`;
    await maker.query(`create database ${name}`);
    await maker.end();
    url = server.urlOf(name);
    admin = new pg.Client({ connectionString: url });
    admin.on('error', () => undefined);
    await admin.connect();
    await migrateEventLog(admin);
  });
  afterEach(async () => {
    for (const abort of aborts.splice(0)) abort.abort();
    for (const log of opened.splice(0)) await log.close();
    faults.length = 0;
    await admin.end();
  });
  after(async () => {
    await proxy.close();
    await server.stop();
  });

  it('carry the name that operators look for', async () => {
    const log = await open({ applicationName: 'gateway 7' });
    await appendOne(log, appendTo('test-a', 'any'));
    await collect(log.readAll());
    const names = await query<{ count: string }>(`select count(*) from pg_stat_activity where application_name = 'gateway 7'`);
    expect(Number(names[0]?.count)).to.equal(2);
  });

  it('are not opened when there is no log of this version, and the reason is said', async () => {
    await query('update event_log.migrations set version = 99');
    expect(String(await open().catch((error: unknown) => error))).to.match(/schema version 99; this program knows 1/);
    expect(String(await migrateEventLog(admin).catch((error: unknown) => error))).to.match(/schema version 99/);
    await query('drop schema event_log cascade');
    expect(String(await open().catch((error: unknown) => error))).to.match(/run its migration first/);
  });

  it('find the schema made once by any number of starters at a time', async () => {
    await query('drop schema event_log cascade');
    const starters = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        return client;
      }),
    );
    await Promise.all(starters.map(migrateEventLog));
    await migrateEventLog(starters[0] as pg.Client);
    await Promise.all(starters.map((client) => client.end()));
    expect(await query('select version from event_log.migrations')).to.deep.equal([{ version: 1 }]);
    expect((await appendOne(await open(), appendTo('test-a', 'no_stream'))).outcome).to.equal('appended');
  });

  it('let nobody change or remove what was recorded', async () => {
    await appendOne(await open(), appendTo('test-a', 'any'));
    for (const change of [`update event_log.events set data = '{}'`, 'delete from event_log.events', 'truncate event_log.events']) {
      expect(String(await query(change).catch((error: unknown) => error))).to.match(/never changed/);
    }
    const readable = await query<{ stream: string; type: string }>('select stream, type from event_log.readable');
    expect(readable).to.deep.equal([{ stream: 'test-a', type: 'QuotaReserved' }]);
  });

  it('make every commit durable, whatever the database says', async () => {
    await query(`do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`);
    await query(
      `create function event_log.note() returns trigger language plpgsql as $$ begin perform set_config('event_log.seen', '', true); raise exception 'commit is %', current_setting('synchronous_commit'); end $$`,
    );
    await query('create trigger note before insert on event_log.events for each statement execute function event_log.note()');
    const outcome = await appendOne(await open(), appendTo('test-a', 'any'));
    expect(outcome.outcome === 'unknown' && outcome.cause.message).to.equal('commit is on');
  });

  it('read by index, however small the tables and old the statistics are', async () => {
    const log = await open();
    await appendOne(log, appendTo('test-a', 'any', newEvents(500)));
    for (const statement of [STEP_OF_ALL, STEP_OF_SOME, STREAM_FORWARDS, STREAM_BACKWARDS]) {
      await query(
        'set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set plan_cache_mode = force_generic_plan',
      );
      const values =
        statement === STEP_OF_ALL
          ? ['1', 'null', '500']
          : statement === STEP_OF_SOME
            ? ['1', 'null', '500', `'{test}'`, 'null']
            : [`'test-a'`, '0', '500'];
      await query(`prepare ${statement.name} as ${statement.text}`);
      const plan = (await query<{ 'QUERY PLAN': string }>(`explain execute ${statement.name} (${values.join(', ')})`))
        .map((row) => row['QUERY PLAN'])
        .join('\n');
      expect(plan, statement.name).to.not.match(/Seq Scan on events|Sort Key: events/);
      expect(plan, statement.name).to.match(
        statement === STEP_OF_SOME ? /events_by_kind/ : statement === STEP_OF_ALL ? /events_pkey/ : /events_by_revision/,
      );
    }
  });

  it('give up on a server that falls silent, and find out afterwards', async () => {
    const log = await open({ connectionString: proxied(), statementTimeoutMs: 300 });
    const append = appendTo('test-a', 'no_stream', newEvents(3));
    proxy.arm('silence', (data) => data.includes(APPEND));
    const started = performance.now();
    const outcome = await appendOne(log, append);
    expect(outcome).to.have.nested.property('cause.name', 'DeadlineExceeded');
    expect(performance.now() - started).to.be.within(1_000, 10_000);
    expect(faults.map(({ what }) => what)).to.deep.equal(['append_failed']);
    expect(await appendSurely(log, append)).to.include({ outcome: 'appended', revision: 2, repeated: true });
  });

  it('neither hang nor lose anything while the whole server stands still', async () => {
    const log = await open({ statementTimeoutMs: 300, connectTimeoutMs: 500, pollMs: 100 });
    const messages = follow(log);
    await messages.next();
    const append = appendTo('test-a', 'no_stream');
    server.freeze();
    const waiting = nextIds(messages);
    try {
      const [outcome, read] = await Promise.all([
        appendOne(log, append),
        collect(log.readStream(stream('test-b'))).catch((error: unknown) => error),
      ]);
      expect(outcome.outcome).to.equal('unknown');
      expect(read).to.be.instanceOf(LogUnavailable);
    } finally {
      server.thaw();
    }
    expect(await appendSurely(log, append)).to.include({ outcome: 'appended', revision: 0 });
    expect(await waiting).to.deep.equal([append.events[0]?.eventId]);
  });

  it('are given up in seconds when the log is closed while the server stands still', async () => {
    const log = await open({ statementTimeoutMs: HOUR_MS, connectTimeoutMs: 1_000 });
    const messages = follow(log);
    await messages.next();
    server.freeze();
    try {
      const reading = collect(log.readAll()).catch((error: unknown) => error);
      const started = performance.now();
      await log.close();
      expect(performance.now() - started).to.be.lessThan(10_000);
      expect(await reading).to.be.instanceOf(Error);
    } finally {
      server.thaw();
    }
  });

  it('wait for another appender no longer than the statement may take', async () => {
    const log = await open({ statementTimeoutMs: 300 });
    await query('begin');
    await holdLock();
    const append = appendTo('test-a', 'no_stream');
    const outcome = await appendOne(log, append);
    expect(outcome).to.have.nested.property('cause.code', '57014');
    expect(await collect(log.readAll())).to.deep.equal([]);
    await query('commit');
    expect(await appendSurely(log, append)).to.include({ outcome: 'appended', repeated: false });
  });

  it('record an append once that was cut off while it waited, though the server goes on with it', async () => {
    const log = await open({ connectionString: proxied() });
    await appendOne(log, appendTo('test-a', 'no_stream'));
    await query('begin');
    await holdLock();
    const waiters = async (): Promise<number> =>
      Number(
        (
          await query<{ count: string }>(
            `select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`,
          )
        )[0]?.count,
      );
    const append = appendTo('test-a', 0, newEvents(2));
    const first = appendOne(log, append);
    await until(async () => (await waiters()) === 1);
    proxy.cutAll();
    expect((await first).outcome).to.equal('unknown');
    const again = appendOne(log, append);
    // Both wait now: what is left of the first, of which nobody hears any more, and the second.
    await until(async () => (await waiters()) === 2);
    await query('commit');
    const outcome = (await again) as Extract<AppendOutcome, { outcome: 'appended' }>;
    expect(outcome).to.deep.include({ outcome: 'appended', revision: 2, repeated: true });
    expect(await collect(log.readStream(stream('test-a')))).to.have.length(3);
  });

  it('tell other processes of every append, the last of a burst too', async () => {
    const log = await open();
    const other = await open({ pollMs: HOUR_MS });
    const messages = follow(other);
    await listening(log, messages);
    // No time passes between the appends of a burst, so that only the first is told of at once.
    const clock = sinon.useFakeTimers({ toFake: ['performance'] });
    try {
      for (let burst = 0; burst < 3; burst++) {
        const given: string[] = [];
        const seen: string[] = [];
        clock.tick(1_000);
        for (let i = 0; i < 5; i++) {
          const append = appendTo('test-a', 'any');
          given.push(append.events[0]?.eventId as string);
          await appendOne(log, append);
        }
        while (seen.length < given.length) seen.push(...(await nextIds(messages)));
        expect(seen).to.deep.equal(given);
      }
    } finally {
      clock.restore();
    }
  });

  it('hear of appends again after the listening connection was ended', async () => {
    const log = await open();
    const other = await open({ pollMs: HOUR_MS });
    const messages = follow(other);
    await messages.next();
    const listening = `from pg_stat_activity where datname = current_database() and query like 'listen%'`;
    for (let round = 0; round < 3; round++) {
      await until(async () => (await query(`select 1 ${listening}`)).length === 1);
      const waiting = nextIds(messages);
      const append = appendTo('test-a', 'any');
      await query(`select pg_terminate_backend(pid) ${listening}`);
      await appendOne(log, append);
      expect(await waiting).to.deep.equal([append.events[0]?.eventId]);
    }
    expect(faults.filter(({ what }) => what === 'listen_failed')).to.have.length(3);
  });

  it('notice what no notification told of', async () => {
    const messages = follow(await open({ pollMs: 50 }));
    await listening(await open(), messages);
    const waiting = nextIds(messages);
    const id = newEvent().eventId;
    await query(
      `select event_log.append('nobody', false, array['test-a'], array['test'], array['QuotaReserved'], array[1], array[-3], array[1],
         array[1], array['${id}'::uuid], array[1], array[1], array['{}'], array['{}'])`,
    );
    expect(await waiting).to.deep.equal([id]);
  });

  it('are not used to read back what this process has just appended', async () => {
    const log = await open({ connectionString: proxied(), pollMs: HOUR_MS });
    await appendOne(log, appendTo('test-a', 'any', newEvents(3)));
    const messages = follow(log);
    await nextIds(messages);
    await messages.next();
    let reads = 0;
    proxy.arm('silence', (data) => {
      if (data.includes('step_of')) reads += 1;
      return false;
    });
    for (let i = 0; i < 20; i++) {
      const append = appendTo('test-a', 'any', newEvents(2));
      const waiting = nextIds(messages);
      await appendOne(log, append);
      expect(await waiting).to.deep.equal(append.events.map(({ eventId }) => eventId));
    }
    // Two at most: the look that is due when listening begins, and one more if something was appended while it looked.
    expect(reads).to.be.at.most(2);
  });
});
