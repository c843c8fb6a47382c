/** Why an answer ended, in Anthropic's words. Calls of tools say so themselves: not every provider ends such a turn with `tool_calls`. */
export const stopReasonOf = (finishReason: unknown, calledTools: boolean): string => {
  if (calledTools && finishReason !== 'length' && finishReason !== 'content_filter') return 'tool_use';
  switch (finishReason) {
    case 'length':
      return 'max_tokens';
    case 'content_filter':
      return 'refusal';
    default:
      return 'end_turn';
  }
};
