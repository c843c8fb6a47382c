import { isRecord } from './session-terms.ts';

/** Responses that the client has asked for and the upstream has not begun. */
export class AskedResponses {
  /** The ids of the events that asked. */
  readonly #events: (string | null)[] = [];
  #mostOutput = 0;

  get count(): number {
    return this.#events.length;
  }

  /** The most output that one of them may have. */
  get mostOutput(): number {
    return this.#mostOutput;
  }

  ask(eventId: string | null, outputTokens: number): void {
    this.#events.push(eventId);
    this.#mostOutput = Math.max(this.#mostOutput, outputTokens);
  }

  /** A response has begun, be it the oldest of them or one that nobody asked for. */
  begun(): void {
    this.#events.shift();
    if (this.#events.length === 0) this.#mostOutput = 0;
  }

  /** An error may be the answer to one of them: it does not begin then. */
  answered(error: unknown): void {
    if (!isRecord(error) || this.#events.length === 0) return;
    const { event_id: eventId, code, param } = error;
    const place = typeof eventId === 'string' ? this.#events.indexOf(eventId) : -1;
    if (place >= 0) this.#events.splice(place, 1);
    else if (code === 'conversation_already_has_active_response' || (typeof param === 'string' && param.startsWith('response')))
      this.#events.shift();
  }
}
