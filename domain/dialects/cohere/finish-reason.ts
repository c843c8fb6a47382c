/** Why an answer of Cohere's ended, in OpenAI's words. One that came to an error or ran out of time is not whole. */
export const cohereFinish = (reason: unknown): string => {
  switch (reason) {
    case 'MAX_TOKENS':
    case 'ERROR':
    case 'TIMEOUT':
      return 'length';
    case 'TOOL_CALL':
      return 'tool_calls';
    default:
      return 'stop';
  }
};
