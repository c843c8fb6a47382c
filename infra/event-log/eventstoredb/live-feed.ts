import { START } from '../../../schemas/event-envelope.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import { pause } from '../abortable.ts';
import { backoffMs } from '../backoff.ts';
import type { Changes } from '../changes.ts';
import { toError } from '../log-fault.ts';
import type { FaultListener } from '../log-fault.ts';
import { isoClock } from '../stored-event.ts';
import type { Connection } from './connection.ts';
import { found } from './event-codec.ts';
import type { LiveWindow } from './live-window.ts';
import { subscribeRequest } from './read-request.ts';
import type { Reader } from './reader.ts';

export interface LiveFeedDeps {
  readonly connection: Connection;
  readonly reader: Reader;
  readonly window: LiveWindow;
  readonly changes: Changes;
  readonly onFault: FaultListener;
  /** How often the head is looked at, in ms, should a subscription have gone silent. */
  readonly pollMs: number;
}

/**
 * Keeps a {@link LiveWindow} filled by one subscription to the whole log, while anybody follows it, and wakes them. A look at the head every
 * so often finds a subscription that has died without a word; then, and when one was lost, readers go to the store and a new one is made.
 */
export class LiveFeed {
  readonly #deps: LiveFeedDeps;
  #watchers = 0;
  #running: AbortController | undefined;
  #closed = false;
  /** The last position that the subscription has brought. */
  #heard: Position = START;
  #isTelling = false;

  constructor(deps: LiveFeedDeps) {
    this.#deps = deps;
  }

  watch(): () => void {
    this.#watchers += 1;
    if (this.#running === undefined && !this.#closed) {
      const running = new AbortController();
      this.#running = running;
      void this.#run(running.signal);
    }
    return () => {
      this.#watchers -= 1;
      if (this.#watchers > 0) return;
      this.#stop();
    };
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#deps.window.clear();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { window, changes, onFault } = this.#deps;
    for (let failures = 0; !signal.aborted;) {
      // Ends a subscription that has gone silent, not the feed.
      const silent = new AbortController();
      const either = AbortSignal.any([signal, silent.signal]);
      try {
        const since = await this.#deps.reader.head();
        if (signal.aborted) return;
        this.#heard = since;
        window.open(since);
        changes.announce();
        void this.#look(silent, either);
        await this.#follow(since, either, () => (failures = 0));
        if (!signal.aborted) throw new Error('EventStoreDB ended a subscription.');
      } catch (thrown) {
        if (!signal.aborted) onFault({ what: 'listen_failed', error: toError(thrown) });
      } finally {
        silent.abort();
      }
      if (signal.aborted) return;
      window.clear();
      changes.announce();
      await pause(backoffMs(failures++), signal);
    }
  }

  async #follow(since: Position, signal: AbortSignal, isWell: () => void): Promise<void> {
    const { connection, window } = this.#deps;
    const iso = isoClock();
    for await (const message of connection.read(subscribeRequest(since === START ? 'start' : since, undefined), { signal })) {
      if (signal.aborted) return;
      isWell();
      const event = found(message, iso);
      // Twice the same, as after a hand-over between the server's own reading and its live events, is once.
      if (event?.stored === undefined || event.stored === null || event.position <= this.#heard) continue;
      this.#heard = event.position;
      window.push(event.stored);
      this.#tell();
    }
  }

  /** The events of one append arrive one after the other in one turn of the loop; readers are woken once for all of them. */
  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      this.#deps.changes.announce({ position: this.#heard });
    });
  }

  async #look(silent: AbortController, signal: AbortSignal): Promise<void> {
    const { reader, pollMs, onFault } = this.#deps;
    let heard = this.#heard;
    let isBehind = false;
    while (!signal.aborted) {
      await pause(pollMs, signal);
      if (signal.aborted) return;
      try {
        const head = await reader.head();
        // Behind for two looks and none the wiser: nothing will come any more.
        if (isBehind && this.#heard === heard) silent.abort();
        heard = this.#heard;
        isBehind = head > heard;
      } catch (thrown) {
        if (!signal.aborted) onFault({ what: 'read_failed', error: toError(thrown) });
      }
    }
  }
}
