/** What decides about a price, or is ours to say: a free-form part of a request may not say it again. */
const OURS: ReadonlySet<string> = new Set([
  'model',
  'model_name',
  'prompt',
  'seconds',
  'duration',
  'size',
  'aspect_ratio',
  'n',
  'image',
  'input_reference',
  'callback_url',
]);

/** The members of a free-form part that are passed on. */
export const passedOn = (extras: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(extras).filter(([name]) => !OURS.has(name)));
