import { isIP } from 'node:net';
import type { buildConnector, Dispatcher } from 'undici';
import connectorOf from 'undici/lib/core/connect.js';
import type {
  Upstream,
  UpstreamExchange,
  UpstreamFault,
  UpstreamHeaders,
  UpstreamListener,
  UpstreamRequest,
} from '../../gateways/ports/upstream.ts';
import type { EgressGuard } from '../egress/guard.ts';
import { Connections } from './connections.ts';
import { DecodedBody } from './decoded-body.ts';
import { proxiedConnector } from './proxied-connector.ts';
import { unheldBody } from './unheld-body.ts';

export interface UpstreamPoolsOptions {
  readonly guard: Pick<EgressGuard, 'lookup' | 'allowsAddress'>;
  /** Most connections to one origin; calls beyond them wait. */
  readonly connections?: number;
  readonly connectMs?: number;
  /** How long an idle connection is kept. Less than any server keeps one, or a call may meet a connection that is just closing. */
  readonly keepAliveMs?: number;
}

export interface PoolStats {
  readonly origin: string;
  readonly connected: number;
  /** Exchanges that have not ended. At rest this is 0, or connections leak. */
  readonly running: number;
  readonly waiting: number;
}

export interface UpstreamPools extends Upstream {
  stats(): readonly PoolStats[];
  /** Waits for what runs, then closes all connections. */
  close(): Promise<void>;
}

const WANTED_HEADERS = ['content-type', 'content-encoding', 'retry-after', 'retry-after-ms'] as const;

/** Of the connection, not of the answer. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Names and values in turn, as they were read. */
type RawHeaders = readonly Buffer[];

/** All of them but those of the connection, and those that it names. */
const allOf = (raw: RawHeaders): UpstreamHeaders => {
  const found: Record<string, string> = {};
  const named: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] as Buffer).toString('latin1').toLowerCase();
    const value = (raw[at + 1] as Buffer).toString('latin1');
    found[name] = value;
    if (name === 'connection') named.push(...value.toLowerCase().split(/\s*,\s*/));
  }
  return Object.fromEntries(Object.entries(found).filter(([name]) => !OF_THE_CONNECTION.has(name) && !named.includes(name)));
};

/** `name`: in lower case. */
const isNamed = (raw: Buffer, name: string): boolean => {
  if (raw.length !== name.length) return false;
  for (let at = 0; at < name.length; at++) {
    const byte = raw[at] as number;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== name.charCodeAt(at)) return false;
  }
  return true;
};

/** Of a dozen headers one or two are of interest; the others do not become text. */
const wanted = (raw: RawHeaders): Record<string, string> => {
  const found: Record<string, string> = {};
  for (let at = 0; at + 1 < raw.length; at += 2)
    for (const name of WANTED_HEADERS) {
      if (!isNamed(raw[at] as Buffer, name)) continue;
      found[name] = (raw[at + 1] as Buffer).toString('latin1');
      break;
    }
  return found;
};

const codeOf = (error: Error): string | undefined => ('code' in error && typeof error.code === 'string' ? error.code : undefined);

/**
 * One exchange: undici's words in, ours out. These are the words of its parser: for those that it recommends it wraps each handler into two objects, and makes text
 * of all headers of each answer.
 */
class Exchange implements UpstreamExchange, Dispatcher.DispatchHandler {
  readonly #listener: UpstreamListener;
  /** `null` before the request goes out. */
  #abort: ((error?: Error) => void) | null = null;
  /** `null` before the answer comes. */
  #resume: (() => void) | null = null;
  #paused = false;
  #over = false;
  #decoded: DecodedBody | null = null;
  readonly #wantsAll: boolean;

  constructor(listener: UpstreamListener, wantsAll: boolean) {
    this.#listener = listener;
    this.#wantsAll = wantsAll;
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    // Aborted while it waited for its connection.
    if (this.#over) abort(new Error('aborted'));
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (this.#over || status < 200) return true;
    this.#resume = resume;
    const headers = this.#wantsAll ? allOf(raw) : wanted(raw);
    const { 'content-encoding': encoding } = headers;
    if (encoding === undefined) this.#listener.headers(status, headers);
    else this.#decode(encoding, status, headers);
    return !this.#paused;
  }

  onData(chunk: Buffer): boolean {
    if (this.#over) return true;
    if (!(this.#decoded === null ? this.#listener.data(chunk) : this.#decoded.write(chunk))) this.#paused = true;
    return !this.#paused;
  }

  onComplete(): void {
    if (this.#decoded === null) this.#end();
    else this.#decoded.end();
  }

  onError(error: Error): void {
    const code = codeOf(error);
    const connected = this.#abort !== null;
    const kind = code === 'EEGRESS' ? 'blocked' : connected ? 'broken' : 'unreachable';
    this.fail({ kind, message: code === undefined ? error.message : `${code}: ${error.message}` });
  }

  fail(fault: UpstreamFault): void {
    if (this.#over) return;
    this.abort();
    this.#listener.failed(fault);
  }

  resume(): void {
    if (this.#over) return;
    this.#decoded?.resume();
    this.#goOn();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#decoded?.destroy();
    this.#abort?.(new Error('aborted'));
  }

  #goOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#resume?.();
  }

  #decode(encoding: string, status: number, headers: UpstreamHeaders): void {
    const { 'content-encoding': _encoding, ...rest } = headers;
    if (encoding !== 'identity') {
      this.#decoded = DecodedBody.of(encoding, {
        data: (chunk) => this.#over || this.#listener.data(chunk),
        end: () => this.#end(),
        failed: (message) => this.fail({ kind: 'broken', message }),
        wantsMore: () => this.#goOn(),
      });
      if (this.#decoded === null) return this.fail({ kind: 'broken', message: 'the answer has a content-encoding that is not known here' });
    }
    this.#listener.headers(status, rest);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener.end();
  }
}

/** undici's connector, without what it leaves with each connection that is not encrypted: a listener, and with it all that it took to connect. */
const connector = (options: buildConnector.BuildOptions): buildConnector.connector => {
  const connect = connectorOf(options);
  return (target, callback) =>
    connect(target, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error !== null) return callback(error, null);
      const [theirs] = target.protocol === 'http:' ? socket.listeners('error') : [];
      callback(null, socket);
      // Whoever it was handed to listens himself by now. Before, this would be the only one, and V8 would make a table of what has none left.
      if (theirs !== undefined) socket.off('error', theirs as (error: Error) => void);
    });
};

/** The answer will take long. */
const isStreamed = ({ headers }: UpstreamRequest): boolean => headers['accept'] === 'text/event-stream';

/** A pool of connections for each origin, kept alive. Connections go only where the egress rules allow. */
export const createUpstreamPools = ({
  guard,
  connections = 16_384,
  connectMs = 10_000,
  keepAliveMs = 4_000,
}: UpstreamPoolsOptions): UpstreamPools => {
  const guarded = new Map<string, Connections>();
  const trusted = new Map<string, Connections>();
  const proxied = new Map<string, Connections>();

  const poolFor = (request: UpstreamRequest): Connections => {
    const { origin, proxy } = request;
    const pools = request.trusted ? trusted : proxy === undefined ? guarded : proxied;
    const name = pools === proxied ? `${origin} ${proxy ?? ''}` : origin;
    let pool = pools.get(name);
    if (pool === undefined) {
      pool = new Connections({
        origin,
        most: connections,
        client: {
          pipelining: 1,
          keepAliveTimeout: keepAliveMs,
          // Time limits are the relay's: it knows a stream from a plain answer.
          headersTimeout: 0,
          bodyTimeout: 0,
          connect: request.trusted
            ? connector({ timeout: connectMs })
            : proxy === undefined
              ? connector({ timeout: connectMs, lookup: guard.lookup })
              : proxiedConnector(proxy, { guard, connectMs }),
        },
      });
      pools.set(name, pool);
    }
    return pool;
  };

  /** Sockets do not look addresses up, so an address in a URL would pass by the guard's look-up unseen. */
  const isBlocked = ({ origin, trusted: ours, proxy }: UpstreamRequest): boolean => {
    // Whoever connects through a proxy judges every address himself.
    if (ours || proxy !== undefined || guarded.has(origin)) return false;
    const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
    return isIP(host) !== 0 && !guard.allowsAddress(host);
  };

  return {
    send(request, listener) {
      const exchange = new Exchange(listener, request.wantsHeaders === true);
      if (isBlocked(request)) {
        // Never from within `send`: the caller does not have the exchange yet.
        queueMicrotask(() => exchange.fail({ kind: 'blocked', message: 'the address is in a private or reserved range' }));
        return exchange;
      }
      const { path, method, headers, body: given } = request;
      const body = given instanceof Uint8Array && isStreamed(request) ? unheldBody(given) : given;
      const isTaken = poolFor(request).dispatch({ origin: request.origin, path, method, headers, body }, exchange);
      if (!isTaken) queueMicrotask(() => exchange.fail({ kind: 'unreachable', message: 'this process is ending' }));
      return exchange;
    },
    stats: () => [...guarded, ...trusted, ...proxied].map(([origin, { stats }]) => ({ origin, ...stats })),
    close: async () => {
      await Promise.all([...guarded.values(), ...trusted.values(), ...proxied.values()].map((pool) => pool.close()));
    },
  };
};
