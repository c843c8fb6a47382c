import type { Countable } from '../../../domain/tokens/chat-text.ts';
import type { Bounded } from './endpoint.ts';

/** A call that reads and writes nothing that is charged. */
export const promptOnly = (promptTokens: number): Bounded => ({
  bound: { promptTokens, outputTokens: 0, audioInput: false, imageInput: false, audioOutput: false, imageOutput: false, toolUses: 0 },
  choices: 1,
  predicted: 0,
});

export const NOTHING_PRODUCED: Countable = { texts: [], tokens: 0 };
