/** The format of Anthropic's signatures, as `reasoning_details` name it. */
export const CLAUDE_REASONING = 'anthropic-claude-v1';
