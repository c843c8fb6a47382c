/** Why a message of Anthropic's ended, in OpenAI's words. */
export const finishReasonOf = (stopReason: unknown): string => {
  switch (stopReason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'tool_use':
      return 'tool_calls';
    case 'refusal':
      return 'content_filter';
    default:
      return 'stop';
  }
};
