import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';

/** The most tokens that an answer may have: what the caller asked for, within what the money covers; `null`: nobody said. */
export const outputLimitOf = (request: ChatRequest, loweredOutput: number | null): number | null => {
  const asked = Math.max(request.max_tokens ?? 0, request.max_completion_tokens ?? 0);
  if (asked === 0) return loweredOutput;
  return loweredOutput === null ? asked : Math.min(asked, loweredOutput);
};
