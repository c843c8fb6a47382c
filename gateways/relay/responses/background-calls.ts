import type { BufferedEvent } from '../../ports/shared-events.ts';
import type { Call } from '../call.ts';
import type { EventBuffer } from './event-buffer.ts';

/** The answers that this process makes in the background. */
export class BackgroundCalls {
  readonly events: EventBuffer;
  readonly #calls = new Map<string, Call>();

  constructor(events: EventBuffer) {
    this.events = events;
  }

  /** Where its events go. */
  begin(responseId: string, call: Call): (event: BufferedEvent) => void {
    this.#calls.set(responseId, call);
    return this.events.open(responseId);
  }

  end(responseId: string): void {
    this.#calls.delete(responseId);
  }

  /** Ends it, and lets its events go: it was deleted. */
  async forget(responseId: string): Promise<void> {
    this.cancel(responseId);
    await this.events.drop(responseId);
  }

  /** What it has come to is charged as where a client has left. Nothing happens where it is made elsewhere or not at all. */
  cancel(responseId: string): void {
    this.#calls.get(responseId)?.interrupt('client_left');
  }
}
