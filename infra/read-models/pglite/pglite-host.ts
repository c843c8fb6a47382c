import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { PoolTarget } from '../pool.ts';
import { dataFolder, inspectData, markClosed, markOpen, removeData } from './data-marker.ts';
import { startWorker } from './start-worker.ts';
import type { FromWorker, ToWorker, WorkerTask } from './worker-messages.ts';

export type PgliteReport =
  /** What was found wrong; the data are removed and will be made from the log again. */
  | { readonly kind: 'damaged'; readonly reason: string }
  /** The engine stopped by itself and is started again. */
  | { readonly kind: 'restarting'; readonly reason: string };

export interface PgliteOptions {
  /** Holds the data and says in what state they were left. */
  readonly directory: string;
  /** A data directory, closed, that a new one is copied from; making one takes some seconds. */
  readonly pristine?: string;
  readonly report?: (report: PgliteReport) => void;
}

export interface PgliteHost {
  readonly target: PoolTarget;
  /** The data were found damaged while in use: begins anew, on the same address. */
  condemn(reason: string): Promise<void>;
  /** Call after the last connection is closed: what comes later is a read model found open, which is checked at the next start. */
  close(): Promise<void>;
}

const SOCKET_PORT = 5432;
const RESTART_PAUSE_MS = 1_000;

interface Running {
  /** The first word of the worker that decides: it serves or is done, or it does not. */
  readonly outcome: Extract<FromWorker, { kind: 'ready' | 'damaged' | 'failed' }>;
  readonly worker: Worker;
  readonly exited: Promise<string>;
}

const run = async (task: WorkerTask): Promise<Running> => {
  const worker = startWorker(task);
  let lastWord = 'it ended without a word';
  const exited = new Promise<string>((resolve) => {
    worker.once('exit', () => resolve(lastWord));
  });
  const outcome = await new Promise<Running['outcome']>((resolve) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'failed') lastWord = message.reason;
      if (message.kind !== 'closed') resolve(message);
    });
    worker.on('error', (error) => {
      lastWord = error.message;
    });
    void exited.then((reason) => resolve({ kind: 'failed', reason }));
  });
  return { outcome, worker, exited };
};

/** What the shortest of the systems takes for the path of a socket. */
const LONGEST_PATH = 100;

/** Nobody else on this machine may enter it. Beside the data, where a killed process leaves nothing lying about, unless that path is too long. */
const socketFolder = (directory: string): string => {
  const beside = join(resolve(directory), 'socket');
  if (join(beside, `.s.PGSQL.${SOCKET_PORT}`).length > LONGEST_PATH) return mkdtempSync(join(tmpdir(), 'oblivious-read-models-'));
  mkdirSync(beside, { recursive: true, mode: 0o700 });
  return beside;
};

class Host implements PgliteHost {
  readonly #options: PgliteOptions;
  readonly #sockets: string;
  #running: Running | null = null;
  #condemned: string | null = null;
  #closing = false;

  constructor(options: PgliteOptions) {
    this.#options = options;
    this.#sockets = socketFolder(options.directory);
  }

  get target(): PoolTarget {
    return { host: this.#sockets, port: SOCKET_PORT, user: 'postgres', database: 'postgres' };
  }

  /** Opens what is there if it can be trusted, and otherwise begins anew. */
  async start(): Promise<void> {
    const { directory } = this.#options;
    const found = this.#condemned === null ? inspectData(directory) : ({ state: 'damaged', reason: this.#condemned } as const);
    this.#condemned = null;
    if (found.state === 'damaged') this.#discard(found.reason);
    if (found.state === 'closed' || found.state === 'open') {
      const damage = await this.#serve(found.state === 'open');
      if (damage === null) return;
      this.#discard(damage);
    }
    await this.#create();
    const failure = await this.#serve(false);
    if (failure !== null) throw new Error(`the embedded read models cannot be started: ${failure}`);
  }

  async condemn(reason: string): Promise<void> {
    if (this.#condemned !== null || this.#running === null) return;
    this.#condemned = reason;
    await this.#running.worker.terminate();
  }

  async close(): Promise<void> {
    this.#closing = true;
    const running = this.#running;
    if (running !== null) {
      running.worker.postMessage({ kind: 'close' } satisfies ToWorker);
      await running.exited;
      if (this.#running === running && this.#condemned === null) markClosed(this.#options.directory);
    }
    rmSync(this.#sockets, { recursive: true, force: true });
  }

  #discard(reason: string): void {
    this.#options.report?.({ kind: 'damaged', reason });
    removeData(this.#options.directory);
  }

  /** In a thread of its own, since making the data takes four times the memory of using them, and keeps it. */
  async #create(): Promise<void> {
    const { directory, pristine } = this.#options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (pristine !== undefined) {
      cpSync(pristine, dataFolder(directory), { recursive: true });
      return;
    }
    const { outcome, exited } = await run({ kind: 'create', dataFolder: dataFolder(directory) });
    await exited;
    if (outcome.kind === 'ready') return;
    removeData(directory);
    throw new Error(`the embedded read models cannot be made: ${outcome.reason}`);
  }

  /** `null` when it serves, else what is wrong. */
  async #serve(check: boolean): Promise<string | null> {
    const { directory } = this.#options;
    markOpen(directory);
    rmSync(this.#socket, { force: true });
    const running = await run({ kind: 'serve', dataFolder: dataFolder(directory), socket: this.#socket, check });
    if (running.outcome.kind !== 'ready') {
      await running.exited;
      return running.outcome.reason;
    }
    this.#running = running;
    void running.exited.then((reason) => this.#restart(running, reason));
    return null;
  }

  async #restart(ended: Running, reason: string): Promise<void> {
    if (this.#closing || this.#running !== ended) return;
    this.#running = null;
    if (this.#condemned === null) this.#options.report?.({ kind: 'restarting', reason });
    while (!this.#closing && this.#running === null) {
      // A failure to start is tried again: the log loses nothing meanwhile, and queries say that read models are away.
      await this.start().catch(() => pause(RESTART_PAUSE_MS));
    }
  }

  get #socket(): string {
    return join(this.#sockets, `.s.PGSQL.${SOCKET_PORT}`);
  }
}

/** PostgreSQL in a thread of this process, on files of its own, behind a socket that only this user can reach. */
export const startPglite = async (options: PgliteOptions): Promise<PgliteHost> => {
  const host = new Host(options);
  try {
    await host.start();
  } catch (error) {
    await host.close();
    throw error;
  }
  return host;
};
