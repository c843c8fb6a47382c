import type pg from 'pg';
import type { Position } from '../../../schemas/event-envelope.ts';
import { pause, unlessAborted } from '../abortable.ts';
import { backoffMs } from '../backoff.ts';
import { toError } from '../log-fault.ts';
import type { FaultListener } from '../log-fault.ts';
import { CHANNEL } from './log-schema.ts';
import { parseNotification } from './notification.ts';
import type { Notification } from './notification.ts';
import { HEAD } from './read-statements.ts';
import { AS_TEXT, ask, connect, leave } from './session.ts';
import type { SessionOptions } from './session.ts';

export interface ListenerEvents {
  /** Somebody appended up to this position. `heard` is missing when it was found by looking, and then it is the head. */
  grown(position: Position, heard: Omit<Notification, 'position'> | undefined): void;
  /** Announcements may have been missed. */
  gap(): void;
  readonly onFault: FaultListener;
}

/**
 * Hears of appends by any process over one `LISTEN` connection. A look at the head every so often finds what a notification did not tell,
 * and a connection that died silently; while there is no connection each try to get one counts as a possible change.
 */
export class ChangeListener {
  readonly #options: SessionOptions;
  readonly #pollMs: number;
  readonly #events: ListenerEvents;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: SessionOptions, pollMs: number, events: ListenerEvents) {
    this.#options = options;
    this.#pollMs = pollMs;
    this.#events = events;
  }

  /** Starts listening; calls after the first change nothing. */
  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted;) {
      let client: pg.Client | undefined;
      try {
        const lost = new AbortController();
        client = await connect(this.#options, (_, error) => lost.abort(error), signal);
        client.on('notification', ({ payload }) => this.#heard(payload ?? ''));
        await ask(client, { text: `listen ${CHANNEL}`, rowMode: 'array' }, this.#options);
        failures = 0;
        this.#events.gap();
        await this.#watch(client, lost.signal);
      } catch (error) {
        if (!signal.aborted) this.#events.onFault({ what: 'listen_failed', error: toError(error) });
      } finally {
        if (client !== undefined) await leave(client).catch(() => undefined);
      }
      if (signal.aborted) return;
      this.#events.gap();
      await pause(backoffMs(failures++), signal);
    }
  }

  async #watch(client: pg.Client, lost: AbortSignal): Promise<void> {
    const either = AbortSignal.any([lost, this.#closing.signal]);
    while (!either.aborted) {
      await pause(this.#pollMs, either);
      if (either.aborted) break;
      const answer = await unlessAborted(ask(client, { ...HEAD, rowMode: 'array', types: AS_TEXT }, this.#options), either);
      if (answer !== undefined) this.#events.grown(BigInt(answer.rows[0]?.[0] as string) as Position, undefined);
    }
    if (lost.aborted) throw toError(lost.reason);
  }

  #heard(payload: string): void {
    const heard = parseNotification(payload);
    if (heard !== null) this.#events.grown(heard.position, heard);
  }
}
