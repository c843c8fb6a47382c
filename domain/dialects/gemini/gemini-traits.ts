/** What a model of Google's takes, where its generations differ. */
export interface GeminiTraits {
  /** How it is told to think: with a level, with a number of tokens, or not at all. */
  readonly thinking: 'level' | 'budget' | 'none';
  /** Whether it is one of the larger models, which cannot be told not to think and know fewer levels. */
  readonly isPro: boolean;
  /** Whether it wants its signature back on the first call of a turn, and tells calls apart by their ids. */
  readonly signsCalls: boolean;
  /** Whether it takes JSON Schema as it is. */
  readonly jsonSchema: boolean;
  /** Whether it reads what lies at a public address. */
  readonly readsAddresses: boolean;
  /** Whether each search of the web is billed, and not each answer that was found by searching. */
  readonly billsSearches: boolean;
}

/** The generation that a name tells; names without a number stand for the newest. */
const generationOf = (name: string): number => {
  const found = /gemini-(\d+(?:\.\d+)?)/.exec(name);
  if (found !== null) return Number(found[1]);
  return name.includes('gemini') ? Infinity : 0;
};

export const geminiTraits = (upstreamModel: string): GeminiTraits => {
  const name = upstreamModel.toLowerCase();
  const generation = generationOf(name);
  return {
    thinking: generation >= 3 ? 'level' : generation >= 2.5 ? 'budget' : 'none',
    isPro: name.includes('pro'),
    signsCalls: generation >= 3,
    jsonSchema: generation >= 2.5,
    readsAddresses: generation >= 2.5,
    billsSearches: generation >= 3,
  };
};
