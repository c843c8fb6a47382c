import type { Worker } from 'node:worker_threads';
import { toError } from '../log-fault.ts';
import type { RequestName, Requests, WorkerReply, WorkerSettings } from './messages.ts';
import type { StartWorker } from './start-worker.ts';

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** The thread died or was given up; what it was asked may or may not have been done. */
export class WorkerLost extends Error {
  constructor(why: string) {
    super(`The event log's thread was lost: ${why}`);
    this.name = 'WorkerLost';
  }
}

/** Asks a thread and hears its answers, in order. A thread that was lost is started anew by the next request. */
export class WorkerLink {
  readonly #settings: WorkerSettings;
  readonly #start: StartWorker;
  readonly #deadlineMs: number;
  readonly #onLoss: (error: Error) => void;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closed = false;

  constructor(settings: WorkerSettings, start: StartWorker, deadlineMs: number, onLoss: (error: Error) => void) {
    this.#settings = settings;
    this.#start = start;
    this.#deadlineMs = deadlineMs;
    this.#onLoss = onLoss;
  }

  /** @throws WorkerLost, or what went wrong in the thread. */
  request<Name extends RequestName>(name: Name, asked: Requests[Name]['asked']): Promise<Requests[Name]['answer']> {
    if (this.#closed && name !== 'close') return Promise.reject(new Error('The event log is closed.'));
    const worker = (this.#worker ??= this.#open());
    return new Promise((resolve, reject) => {
      const id = (this.#lastId += 1);
      const timer = setTimeout(() => this.#lose(worker, new WorkerLost(`no answer within ${this.#deadlineMs} ms`)), this.#deadlineMs);
      this.#pending.set(id, { resolve: resolve, reject, timer });
      worker.postMessage({ id, name, asked });
    });
  }

  /** Starts the thread and resolves once it has opened the file. */
  async open(): Promise<void> {
    await this.request('head', null);
  }

  #open(): Worker {
    const worker = this.#start(this.#settings);
    worker.on('message', (reply: WorkerReply) => this.#heard(reply));
    worker.on('error', (error) => this.#lose(worker, toError(error)));
    worker.on('exit', (code) => this.#lose(worker, new WorkerLost(`it ended with code ${code}`)));
    return worker;
  }

  #heard(reply: WorkerReply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    this.#pending.delete(reply.id);
    clearTimeout(pending.timer);
    if ('error' in reply) pending.reject(reply.error);
    else pending.resolve(reply.answer as never);
  }

  #lose(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, timer } of pending) {
      clearTimeout(timer);
      reject(error);
    }
    void worker.terminate();
    if (!this.#closed) this.#onLoss(error);
  }

  /** Lets the thread finish what it was asked and close the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    await this.request('close', null).catch(() => undefined);
    await gone;
  }
}
