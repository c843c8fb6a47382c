import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

/** Thrown inside a handler when the caller is gone; ends the handler, nothing more. */
export class ClientGone extends Error {}

/** The body of one answer on its way out: waits for the socket, notices the caller's leaving, cuts writes where the script wants it. */
export class Delivery {
  readonly #response: ServerResponse;
  readonly #split: number | undefined;
  readonly #gone = new AbortController();

  constructor(response: ServerResponse, split: number | undefined) {
    this.#response = response;
    this.#split = split;
    response.once('close', () => {
      if (!response.writableFinished) this.#gone.abort();
    });
  }

  get clientGone(): boolean {
    return this.#gone.signal.aborted;
  }

  /** @throws ClientGone */
  async wait(ms: number): Promise<void> {
    if (ms > 0) await pause(ms, undefined, { signal: this.#gone.signal }).catch(() => undefined);
    this.#check();
  }

  /** Never resolves; @throws ClientGone once the caller has hung up. */
  async silence(): Promise<never> {
    await new Promise<void>((resolve) => {
      if (this.clientGone) resolve();
      else this.#gone.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    throw new ClientGone();
  }

  /** Resolves when the socket wants more; @throws ClientGone */
  async write(text: string | Buffer): Promise<void> {
    this.#check();
    if (this.#split === undefined) return this.#push(text);
    const bytes = Buffer.from(text as string);
    for (let from = 0; from < bytes.length; from += this.#split) {
      await this.#push(bytes.subarray(from, from + this.#split));
      // Two writes in one turn of the loop may leave as one packet.
      await nextTurn();
    }
  }

  /** Ends the body and resolves when the connection took all of it; @throws ClientGone */
  async end(): Promise<void> {
    this.#check();
    await new Promise<void>((resolve) => {
      this.#response.once('close', resolve);
      this.#response.end(resolve);
    });
    this.#check();
  }

  async #push(chunk: string | Buffer): Promise<void> {
    if (this.#response.write(chunk)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#response.off('drain', done);
        this.#gone.signal.removeEventListener('abort', done);
        resolve();
      };
      this.#response.once('drain', done);
      this.#gone.signal.addEventListener('abort', done, { once: true });
    });
    this.#check();
  }

  #check(): void {
    if (this.clientGone) throw new ClientGone();
  }
}
