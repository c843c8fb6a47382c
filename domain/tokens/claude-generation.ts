/** The generation that the name of a model of Anthropic's tells, such as 4.7; names without a number stand for the newest. */
export const claudeGeneration = (model: string): number => {
  const name = model.toLowerCase().replaceAll('.', '-');
  // `claude-3-5-sonnet-20241022` and before; `claude-opus-4-7` since. A date is no number of a generation.
  const found =
    /claude-(?:instant-)?(?:v)?(\d{1,2})(?:-(\d{1,2}))?(?!\d)/.exec(name) ??
    /(?:opus|sonnet|haiku|fable)-(\d{1,2})(?:-(\d{1,2}))?(?!\d)/.exec(name) ??
    null;
  if (found === null) return Infinity;
  const [, major = '0', minor = '0'] = found;
  return Number(`${major}.${minor}`);
};
