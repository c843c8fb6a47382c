import type pg from 'pg';
import { AS_TEXT, ask, connect, leave } from './session.ts';
import type { SessionOptions } from './session.ts';

/** The one connection that appends go through, one statement at a time; made when first needed and made anew after a loss. */
export class AppendConnection {
  readonly #options: SessionOptions;
  #client: pg.Client | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * Runs a statement once those before it are done and returns its first row, of texts.
   *
   * @throws whatever went wrong. After a throw it is not known whether the statement took effect.
   */
  run(name: string, text: string, values: readonly unknown[]): Promise<readonly string[]> {
    const asked = performance.now();
    const result = this.#turn.then(async () => {
      if (this.#closed) throw new Error('The event log is closed.');
      if (performance.now() - asked > this.#options.statementTimeoutMs) throw new Error('Earlier statements to PostgreSQL took too long.');
      const client = (this.#client ??= await this.#connect());
      const { rows } = await ask(client, { name, text, values: [...values], rowMode: 'array', types: AS_TEXT }, this.#options);
      return rows[0] ?? [];
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #connect(): Promise<pg.Client> {
    return connect(this.#options, (lost) => {
      if (this.#client === lost) this.#client = undefined;
    });
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
    if (this.#client !== undefined) await leave(this.#client);
  }
}
