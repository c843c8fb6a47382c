/** A place outside that is told of things. */
export interface Webhook {
  /**
   * Sends a JSON text. `id` is the same however often the same thing is sent, so that a receiver can tell a repeat. Resolves with `null` when the
   * receiver has it, or with what went wrong.
   */
  send(id: string, body: string, signal: AbortSignal): Promise<string | null>;
}
