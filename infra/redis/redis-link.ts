import { setTimeout as pause } from 'node:timers/promises';
import type { ConnectRedisOptions, RedisConnection } from './connect-redis.ts';
import type { RedisAddress } from './redis-address.ts';
import { shaOf, type Script } from './script.ts';

/** What Redis is used for; the label of its metrics. */
export type RedisUse = 'limits' | 'documents' | 'channels' | 'signIn' | 'sessions' | 'standings' | 'events' | 'probe';

export type CommandOutcome = 'answered' | 'failed' | 'timedOut' | 'notSent';

/** Told of every command and of every change of what can be reached. Must return at once. */
export interface RedisObserver {
  readonly command: (use: RedisUse, outcome: CommandOutcome, seconds: number) => void;
  /** `reachable`: which part of the keys, from 0 to 1. */
  readonly reachable: (reachable: number, reason: string) => void;
}

export interface RedisLinkOptions {
  readonly address: RedisAddress;
  /** Certificates, as PEM, that vouch for the servers where the address says TLS; those that Node trusts unless given. */
  readonly authorities?: Buffer;
  /** Before every key. */
  readonly prefix: string;
  /** How long one command may take, in milliseconds. */
  readonly commandMs: number;
  /** What the connections are called in `CLIENT LIST`. */
  readonly name: string;
  readonly observer: RedisObserver;
}

interface Lane {
  failures: number;
  away: boolean;
}

/** So many commands in a row that failed or took too long, and no more are sent. */
const FAILURES = 3;
const PROBE_MS = { first: 100, most: 2_000 };
/** A connection over which so many probes failed is given up for a new one: it may never come back by itself. */
const PROBES_PER_CONNECTION = 3;
const CONNECT_MS = 2_000;
const FIRST_CONNECT_MS = 1_000;
const CLOSE_MS = 500;

/** The client is loaded where there is a Redis only: it takes more than 10 MB. */
const connect = async (options: ConnectRedisOptions, withinMs: number): Promise<RedisConnection> => {
  const { connectRedis } = await import('./connect-redis.ts');
  return connectRedis(options, withinMs);
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The way to Redis, for those who can do without it. A command is answered within its time or not at all; after a few that were
 * not, nothing is sent, and nobody waits, until a probe in the background gets through. So a Redis that is slow costs no more than
 * one that is gone.
 */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #closing = new AbortController();
  #connection: RedisConnection | null = null;
  #lanes: Lane[] = [];
  #connecting: Promise<void> | null = null;
  /** Probes that run, to be waited for at the end. */
  readonly #background = new Set<Promise<void>>();
  #reported = -1;

  private constructor(options: RedisLinkOptions) {
    this.#options = options;
  }

  /** Tries for a second. A Redis that is away at the start is looked for ever after. */
  static async open(options: RedisLinkOptions): Promise<RedisLink> {
    const link = new RedisLink(options);
    try {
      link.#use(await connect(options, FIRST_CONNECT_MS));
    } catch (error) {
      link.#report(reasonOf(error));
      link.#inBackground(link.#reconnect());
    }
    return link;
  }

  get prefix(): string {
    return this.#options.prefix;
  }

  /** Whether a command about the key would be sent now. */
  isReachable(key: string): boolean {
    return this.#connection !== null && this.#laneOf(this.#connection, key)?.away === false;
  }

  /** The answer; `undefined` when Redis did not give one in time, or was not asked. Never rejects. */
  send(use: RedisUse, key: string, args: readonly string[]): Promise<unknown> {
    const connection = this.#connection;
    const lane = connection === null ? undefined : this.#laneOf(connection, key);
    if (connection === null || lane === undefined || lane.away) {
      this.#options.observer.command(use, 'notSent', 0);
      return Promise.resolve(undefined);
    }
    return this.#ask(connection, lane, use, key, () => connection.send(key, args));
  }

  /** Runs a script on one key, in one round trip; in two where the server does not know it yet. */
  run(use: RedisUse, script: Script, key: string, args: readonly (string | number)[]): Promise<unknown> {
    const connection = this.#connection;
    const lane = connection === null ? undefined : this.#laneOf(connection, key);
    if (connection === null || lane === undefined || lane.away) {
      this.#options.observer.command(use, 'notSent', 0);
      return Promise.resolve(undefined);
    }
    const rest = ['1', key, ...args.map(String)];
    return this.#ask(connection, lane, use, key, () =>
      connection.send(key, ['EVALSHA', shaOf(script), ...rest]).catch((error: unknown) => {
        if (!reasonOf(error).startsWith('NOSCRIPT')) throw error;
        return connection.send(key, ['EVAL', script.lua, ...rest]);
      }),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const connection = this.#connection;
    this.#connection = null;
    await Promise.all(this.#background);
    if (connection === null) return;
    const closed = connection.close().catch(() => undefined);
    await Promise.race([closed, pause(CLOSE_MS)]);
    this.#destroy(connection);
  }

  #laneOf(connection: RedisConnection, key: string): Lane | undefined {
    return this.#lanes[connection.lanes.laneOf(key)];
  }

  #ask(connection: RedisConnection, lane: Lane, use: RedisUse, key: string, send: () => Promise<unknown>): Promise<unknown> {
    const { commandMs, observer } = this.#options;
    const began = performance.now();
    return new Promise((resolve) => {
      let settled = false;
      const settle = (outcome: CommandOutcome, reply: unknown, reason: string): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        observer.command(use, outcome, (performance.now() - began) / 1_000);
        if (outcome === 'answered') lane.failures = 0;
        else if (++lane.failures >= FAILURES) this.#goAway(connection, lane, key, reason);
        resolve(reply);
      };
      // A process that was busy for that long reads first what has come meanwhile, and then judges.
      const timer = setTimeout(() => setImmediate(() => settle('timedOut', undefined, `no answer within ${commandMs} ms`)), commandMs);
      send().then(
        (reply) => settle('answered', reply, ''),
        (error: unknown) => settle('failed', undefined, reasonOf(error)),
      );
    });
  }

  #goAway(connection: RedisConnection, lane: Lane, key: string, reason: string): void {
    if (lane.away || connection !== this.#connection) return;
    lane.away = true;
    this.#report(reason);
    this.#inBackground(this.#probe(connection, lane, connection.lanes.laneOf(key)));
  }

  /** Looks whether a lane answers again; what it writes proves that it takes writes too. */
  async #probe(connection: RedisConnection, lane: Lane, index: number): Promise<void> {
    const { signal } = this.#closing;
    const key = connection.lanes.probeKey(index, this.#options.prefix);
    for (let probes = 1, waitMs = PROBE_MS.first; ; probes++, waitMs = Math.min(waitMs * 2, PROBE_MS.most)) {
      await pause(waitMs * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted || connection !== this.#connection) return;
      lane.failures = 0;
      const reply = await this.#ask(connection, lane, 'probe', key, () => connection.send(key, ['SET', key, '1', 'PX', '1000']));
      if (connection !== this.#connection) return;
      if (reply === 'OK') {
        lane.away = false;
        lane.failures = 0;
        return this.#report('it answers');
      }
      if (probes % PROBES_PER_CONNECTION === 0) await this.#reconnect(connection);
    }
  }

  /** A new connection in place of one that is of no use; one at a time, until there is one or, where there was one, for one try. */
  #reconnect(instead: RedisConnection | null = null): Promise<void> {
    this.#connecting ??= this.#replace(instead).finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #replace(instead: RedisConnection | null): Promise<void> {
    const { signal } = this.#closing;
    for (let waitMs = PROBE_MS.first; !signal.aborted; waitMs = Math.min(waitMs * 2, PROBE_MS.most)) {
      if (instead === null) await pause(waitMs * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const next = await connect(this.#options, CONNECT_MS);
        if (signal.aborted || this.#connection !== instead) return this.#destroy(next);
        this.#use(next);
        if (instead !== null) this.#destroy(instead);
        return;
      } catch {
        // The old one may come back before a new one does; the caller goes on to look at it.
        if (instead !== null) return;
      }
    }
  }

  #use(connection: RedisConnection): void {
    this.#connection = connection;
    this.#lanes = Array.from({ length: connection.lanes.count }, () => ({ failures: 0, away: false }));
    this.#report('it answers');
  }

  #report(reason: string): void {
    const away = this.#lanes.filter((lane) => lane.away).length;
    const reachable = this.#connection === null ? 0 : 1 - away / this.#lanes.length;
    if (reachable === this.#reported || this.#closing.signal.aborted) return;
    this.#reported = reachable;
    this.#options.observer.reachable(reachable, reason);
  }

  #inBackground(work: Promise<void>): void {
    this.#background.add(work);
    void work.finally(() => this.#background.delete(work));
  }

  #destroy(connection: RedisConnection): void {
    try {
      connection.destroy();
    } catch {
      // It was closed already.
    }
  }
}
