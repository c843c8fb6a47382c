type Json = Readonly<Record<string, unknown>>;

/** One page of things in the form of OpenAI's lists. */
export const openaiList = (data: readonly { readonly id?: unknown }[], hasMore: boolean): Json => ({
  object: 'list',
  data,
  first_id: data[0]?.id ?? null,
  last_id: data.at(-1)?.id ?? null,
  has_more: hasMore,
});
