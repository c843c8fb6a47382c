import type { Client, Dispatcher } from 'undici';
import ClientOf from 'undici/lib/dispatcher/client.js';

export interface ConnectionsOptions {
  readonly origin: string;
  /** Exchanges beyond so many wait. */
  readonly most: number;
  readonly client: Client.Options;
}

export interface ConnectionsStats {
  readonly connected: number;
  readonly running: number;
  readonly waiting: number;
}

interface Waiting {
  readonly request: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
}

/**
 * Connections to one origin, with one exchange at a time on each. undici's own pool looks through all of them for one that is free, and keeps what it has had of
 * each for ever: a call beside thousands of streams would look at every one of them, twice. Here the one that was free last is taken first, and who has lost his connection is forgotten.
 */
export class Connections {
  readonly #origin: URL;
  readonly #most: number;
  readonly #options: Client.Options;
  readonly #all = new Set<Client>();
  readonly #free = new Set<Client>();
  /** Of `#free` the one that was freed last is at the end; some in it are free no more. */
  #latest: Client[] = [];
  readonly #waiting: Waiting[] = [];
  #isClosed = false;
  #whenNobodyWaits: (() => void) | null = null;

  constructor({ origin, most, client }: ConnectionsOptions) {
    this.#origin = new URL(origin);
    this.#most = most;
    this.#options = client;
  }

  /** False once they are closed: the handler hears nothing then. */
  dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (this.#isClosed) return false;
    const client = this.#takeFree() ?? (this.#all.size < this.#most ? this.#open() : null);
    if (client === null) this.#waiting.push({ request, handler });
    else this.#give(client, { request, handler });
    return true;
  }

  get stats(): ConnectionsStats {
    let [connected, running, waiting] = [0, 0, this.#waiting.length];
    for (const { stats } of this.#all) {
      if (stats.connected) connected++;
      running += stats.running;
      waiting += stats.pending;
    }
    return { connected, running, waiting };
  }

  /** Resolves when all that runs and waits has ended and the connections are closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => (this.#whenNobodyWaits = resolve));
    await Promise.all([...this.#all].map((client) => client.close()));
  }

  #takeFree(): Client | null {
    for (;;) {
      const client = this.#latest.pop();
      if (client === undefined) return null;
      if (this.#free.delete(client)) return client;
    }
  }

  #setFree(client: Client): void {
    if (!this.#all.has(client) || this.#free.has(client)) return;
    this.#free.add(client);
    this.#latest.push(client);
  }

  #open(): Client {
    const client = new ClientOf(this.#origin, this.#options);
    this.#all.add(client);
    // The same functions for all of them: there may be ten thousand.
    client.on('drain', this.#onDrain).on('disconnect', this.#onDisconnect).on('connectionError', this.#onConnectionError);
    return client;
  }

  readonly #onDrain = (_origin: URL, [client]: readonly Dispatcher[] = []): void => {
    // It may have an exchange again.
    if (client instanceof ClientOf && this.#all.has(client) && client.stats.size === 0) this.#give(client, this.#waiting.shift());
  };

  readonly #onDisconnect = (_origin: URL, [client]: readonly Dispatcher[]): void => {
    // With an exchange that it was given meanwhile it makes another connection.
    if (client instanceof ClientOf && client.stats.size === 0) this.#forget(client);
  };

  readonly #onConnectionError = (_origin: URL, [client]: readonly Dispatcher[]): void => {
    if (client instanceof ClientOf) this.#forget(client);
  };

  /** Gives an exchange to a client that has none; where it has none then either, for there are requests that cannot be sent at all, the next. */
  #give(client: Client, first: Waiting | undefined): void {
    for (let next = first; next !== undefined; next = this.#waiting.shift()) {
      client.dispatch(next.request, next.handler);
      if (this.#waiting.length === 0) this.#whenNobodyWaits?.();
      if (client.stats.size > 0) return;
    }
    this.#setFree(client);
  }

  #forget(client: Client): void {
    if (!this.#all.delete(client)) return;
    this.#free.delete(client);
    if (this.#latest.length > 2 * this.#free.size) this.#latest = this.#latest.filter((each) => this.#free.has(each));
    const next = this.#waiting.shift();
    if (next !== undefined) this.#give(this.#open(), next);
  }
}
