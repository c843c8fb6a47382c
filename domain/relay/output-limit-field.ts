/**
 * The field that limits a model's output, for where the caller named none. OpenAI's reasoning models refuse `max_tokens`;
 * nearly everyone else who speaks the format knows nothing but it.
 */
export const outputLimitField = (upstreamModel: string): 'max_tokens' | 'max_completion_tokens' => {
  const name = upstreamModel.slice(upstreamModel.lastIndexOf('/') + 1);
  return /^(?:o\d|gpt-(?:[5-9]|\d\d)|codex)/.test(name) ? 'max_completion_tokens' : 'max_tokens';
};
