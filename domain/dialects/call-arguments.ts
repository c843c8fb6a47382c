/** Arguments of a call as the object that other formats than OpenAI's want. What is no JSON object, though a model wrote it, is kept as text. */
export const callArguments = (text: string): Readonly<Record<string, unknown>> => {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Below.
  }
  return { _raw: text };
};
