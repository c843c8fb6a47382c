import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { LogUnavailable } from '../../../commands/log-unavailable.ts';
import type { ReadAllOptions, ReadStreamOptions } from '../../../commands/ports/event-log.ts';
import type { EventFilter, Position, RecordedEvent } from '../../../schemas/event-envelope.ts';
import { START } from '../../../schemas/event-envelope.ts';
import type { StreamName } from '../../../schemas/ids.ts';
import { backoffMs } from '../backoff.ts';
import { toError } from '../log-fault.ts';
import { STEP_LIMITS } from '../log-step.ts';
import type { LogStep } from '../log-step.ts';
import { isoClock, toRecorded } from '../stored-event.ts';
import { COLUMN, HEAD, STEP_OF_ALL, STEP_OF_SOME, STREAM_BACKWARDS, STREAM_FORWARDS } from './read-statements.ts';
import { AS_TEXT, ask, clientConfig, cut, prepare } from './session.ts';
import type { SessionOptions } from './session.ts';

const MAX_REVISION = 2_147_483_647;
/** How long a read that is not a subscription is tried again after a loss of connection. */
const RETRY_MS = 5_000;

type Row = readonly string[];

/** Errors after which the same read may well succeed: the connection, the server's coming and going, its being out of some resource. */
const passes = (error: Error): boolean => {
  const { code } = error as { code?: unknown };
  return typeof code !== 'string' || code.length !== 5 || /^(08|53|57|58|40)/.test(code);
};

const decodeRows = (rows: readonly Row[]): RecordedEvent[] => {
  const iso = isoClock();
  return rows.map((row) =>
    toRecorded({
      position: BigInt(row[COLUMN.position] as string) as Position,
      stream: row[COLUMN.stream] as string,
      revision: Number(row[COLUMN.revision]),
      eventId: row[COLUMN.eventId] as string,
      type: row[COLUMN.type] as string,
      schemaVersion: Number(row[COLUMN.schemaVersion]),
      recordedAt: iso(Math.round(Number(row[COLUMN.recordedEpoch]) * 1000)),
      data: row[COLUMN.data] as string,
      metadata: row[COLUMN.metadata] as string,
    }),
  );
};

/** Reads through a few pooled connections of their own, in bounded steps. */
export class Reader {
  readonly #options: SessionOptions;
  readonly #pool: pg.Pool;
  readonly #busy = new Set<pg.PoolClient>();
  readonly #prepared = new WeakSet<pg.PoolClient>();

  constructor(options: SessionOptions, connections: number, onIdleLoss: (error: Error) => void) {
    this.#options = options;
    this.#pool = new pg.Pool({
      ...clientConfig(options),
      max: connections,
      idleTimeoutMillis: 30_000,
    });
    this.#pool.on('error', onIdleLoss);
    // The pool listens to idle clients only. One that is lost at work fails its statement, which is enough.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async #ask(statement: { readonly name: string; readonly text: string }, values: readonly unknown[]): Promise<readonly Row[]> {
    const client = await this.#pool.connect();
    this.#busy.add(client);
    try {
      if (!this.#prepared.has(client)) await prepare(client, this.#options);
      this.#prepared.add(client);
      const { rows } = await ask(client, { ...statement, values: [...values], rowMode: 'array', types: AS_TEXT }, this.#options);
      client.release();
      return rows;
    } catch (error) {
      client.release(toError(error));
      throw error;
    } finally {
      this.#busy.delete(client);
    }
  }

  async #askAgain(statement: { readonly name: string; readonly text: string }, values: readonly unknown[]): Promise<readonly Row[]> {
    const until = performance.now() + RETRY_MS;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#ask(statement, values);
      } catch (thrown) {
        const error = toError(thrown);
        if (this.#pool.ending || !passes(error)) throw error;
        const wait = backoffMs(attempt);
        if (performance.now() + wait > until) throw new LogUnavailable(error);
        await pause(wait);
      }
    }
  }

  async head(): Promise<Position> {
    return BigInt((await this.#askAgain(HEAD, []))[0]?.[0] as string) as Position;
  }

  /** What lies after a position, under one snapshot with the head. Does not try again by itself. */
  step(after: Position, filter: EventFilter | undefined): Promise<LogStep> {
    return this.#step(after, null, filter, STEP_LIMITS.events, (statement, values) => this.#ask(statement, values));
  }

  async #step(
    after: Position,
    upTo: Position | null,
    filter: EventFilter | undefined,
    limit: number,
    ask: (statement: { readonly name: string; readonly text: string }, values: readonly unknown[]) => Promise<readonly Row[]>,
  ): Promise<LogStep> {
    const range = [after.toString(), upTo?.toString() ?? null, limit];
    const isFiltered = filter?.categories !== undefined || filter?.types !== undefined;
    const rows = await (isFiltered
      ? ask(STEP_OF_SOME, [...range, filter.categories ?? null, filter.types ?? null])
      : ask(STEP_OF_ALL, range));
    const first = rows[0] as Row;
    const head = BigInt(first[COLUMN.head] as string) as Position;
    const end = upTo !== null && upTo < head ? upTo : head;
    if ((first[COLUMN.position] as string | null) === null) return { events: [], through: end, head };
    const events = decodeRows(rows);
    const isCut = rows.length < Number(first[COLUMN.found]) || rows.length >= limit;
    return { events, through: isCut ? (events.at(-1) as RecordedEvent).position : end, head };
  }

  /** Ends at the head as it was when the reading began. */
  async *all({
    after = START,
    upTo,
    filter,
    limit = Number.POSITIVE_INFINITY,
  }: ReadAllOptions): AsyncGenerator<RecordedEvent, void, undefined> {
    let end = upTo ?? null;
    let left = limit;
    let position = after;
    while (left > 0) {
      const step = await this.#step(position, end, filter, Math.min(left, STEP_LIMITS.events), (statement, values) =>
        this.#askAgain(statement, values),
      );
      if (end === null || step.head < end) end = step.head;
      for (const event of step.events) yield event;
      left -= step.events.length;
      position = step.through;
      if (position >= end) return;
    }
  }

  async *stream(name: StreamName, options: ReadStreamOptions): AsyncGenerator<RecordedEvent, void, undefined> {
    const isForwards = options.direction !== 'backwards';
    let from = options.from ?? (isForwards ? 0 : MAX_REVISION);
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    while (left > 0 && from >= 0) {
      const limit = Math.min(left, STEP_LIMITS.events);
      const rows = await this.#askAgain(isForwards ? STREAM_FORWARDS : STREAM_BACKWARDS, [name, from, limit]);
      if (rows.length === 0) return;
      const events = decodeRows(rows);
      for (const event of events) yield event;
      left -= events.length;
      if (rows.length === Number((rows[0] as Row)[COLUMN.found]) && rows.length < limit) return;
      from = (events.at(-1) as RecordedEvent).revision + (isForwards ? 1 : -1);
    }
  }

  /** Reads under way are cut short. */
  async close(): Promise<void> {
    const ended = this.#pool.end();
    for (const client of this.#busy) cut(client);
    await ended;
  }
}
