import pg from 'pg';
import { pause } from '../event-log/abortable.ts';
import { backoffMs } from '../event-log/backoff.ts';
import { outliveLostConnections } from '../postgres/outlive-lost-connections.ts';

const SCHEMA = `
  create schema if not exists oblivious_bridge;
  create table if not exists oblivious_bridge.lease (
    name text primary key,
    holder text not null,
    fence bigint not null,
    expires_at timestamptz not null
  )`;

const TAKE = `
  insert into oblivious_bridge.lease as lease (name, holder, fence, expires_at)
  values ($1, $2, 1, clock_timestamp() + $3 * interval '1 millisecond')
  on conflict (name) do update
    set holder = $2, fence = lease.fence + 1, expires_at = clock_timestamp() + $3 * interval '1 millisecond'
    where lease.expires_at <= clock_timestamp()
  returning fence`;

const RENEW = `
  update oblivious_bridge.lease set expires_at = clock_timestamp() + $3 * interval '1 millisecond'
  where name = $1 and fence = $2`;

const GIVE_BACK = `update oblivious_bridge.lease set expires_at = '-infinity' where name = $1 and fence = $2`;

export interface BridgeLeaseOptions {
  readonly connectionString: string;
  readonly name: string;
  /** Names this process, for people. */
  readonly holder: string;
  /** How long a silent holder keeps it, in milliseconds. */
  readonly ttlMs: number;
  readonly onFault: (error: unknown) => void;
}

/** The right to act, held by one process at a time; by PostgreSQL's clock, so that no other has to agree with it. */
export class BridgeLease {
  readonly #options: BridgeLeaseOptions;
  readonly #pool: pg.Pool;
  #hasSchema = false;

  constructor(options: BridgeLeaseOptions) {
    this.#options = options;
    // An answer that takes longer than this comes too late to renew again.
    const answerMs = Math.max(250, Math.floor(options.ttlMs / 3));
    this.#pool = new pg.Pool({
      connectionString: options.connectionString,
      max: 1,
      application_name: 'oblivious bridge',
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
      keepAlive: true,
    });
    outliveLostConnections(this.#pool);
  }

  /** Waits until the lease is free and takes it; `null` when the signal aborts first. */
  async take(signal: AbortSignal): Promise<HeldLease | null> {
    const { name, holder, ttlMs, onFault } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#ensureSchema();
        const asked = performance.now();
        const { rows } = await this.#pool.query<{ fence: string }>(TAKE, [name, holder, ttlMs]);
        const [row] = rows;
        if (row !== undefined) return new HeldLease(this.#pool, this.#options, BigInt(row.fence), asked + ttlMs);
        failures = 0;
        await pause(ttlMs / 5, signal);
      } catch (error) {
        if (failures === 0) onFault(error);
        await pause(backoffMs(failures++), signal);
      }
    }
    return null;
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #ensureSchema(): Promise<void> {
    if (this.#hasSchema) return;
    try {
      await this.#pool.query(SCHEMA);
    } catch (error) {
      // Two processes that create it at once: one of them fails on the catalogue's index, and finds it there the next time.
      if ((error as { code?: string }).code !== '23505') throw error;
      await this.#pool.query(SCHEMA);
    }
    this.#hasSchema = true;
  }
}

/** The lease in hand. It renews itself until it is released or lost. */
export class HeldLease {
  /** Grows with each holder. */
  readonly fence: bigint;
  readonly #pool: pg.Pool;
  readonly #options: BridgeLeaseOptions;
  readonly #lost = new AbortController();
  /** By the monotonic clock, which goes on while the process is stopped. */
  #until: number;
  #renewal: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #released = false;

  constructor(pool: pg.Pool, options: BridgeLeaseOptions, fence: bigint, until: number) {
    this.#pool = pool;
    this.#options = options;
    this.fence = fence;
    this.#until = until;
    this.#watch();
    this.#renewLater();
  }

  /** Aborts as soon as another process may hold it. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether no other process can hold it now. A process that was stopped must ask before it acts: its timers have not run yet. */
  get held(): boolean {
    if (performance.now() >= this.#until) this.#lose();
    return !this.#released && !this.#lost.signal.aborted;
  }

  /** Asks PostgreSQL whether it is still ours, and renews it. */
  async confirm(): Promise<boolean> {
    const { name, ttlMs } = this.#options;
    const asked = performance.now();
    const { rowCount } = await this.#pool.query(RENEW, [name, String(this.fence), ttlMs]);
    if (rowCount === 1) {
      this.#until = asked + ttlMs;
      this.#watch();
    } else this.#lose();
    return this.held;
  }

  /** Lets the next one have it at once. */
  async release(): Promise<void> {
    this.#released = true;
    this.#stop();
    try {
      await this.#pool.query(GIVE_BACK, [this.#options.name, String(this.fence)]);
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  #renewLater(): void {
    this.#renewal = setTimeout(() => {
      this.confirm()
        .catch((error: unknown) => this.#options.onFault(error))
        .finally(() => {
          if (!this.#released && !this.#lost.signal.aborted) this.#renewLater();
        });
    }, this.#options.ttlMs / 3);
  }

  #watch(): void {
    clearTimeout(this.#expiry);
    if (!this.#released && !this.#lost.signal.aborted) this.#expiry = setTimeout(() => this.held, this.#until - performance.now());
  }

  #lose(): void {
    this.#stop();
    this.#lost.abort();
  }

  #stop(): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#expiry);
  }
}
