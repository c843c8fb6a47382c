import type { Countable } from '../../domain/tokens/chat-text.ts';

/** A prompt that a client wants counted, and the model that it wants it counted for. */
export interface PromptToCount {
  readonly model: string;
  readonly prompt: Countable;
}
