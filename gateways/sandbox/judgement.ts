/** Words that the sandbox takes for what they sound like. */
const WORDS: Readonly<Record<string, RegExp>> = {
  harassment: /\b(?:idiot|stupid|loser)\b/i,
  hate: /\bhate(?:s|d)?\b/i,
  illicit: /\b(?:steal|smuggle|counterfeit)\b/i,
  'self-harm': /\bhurt myself\b/i,
  violence: /\b(?:kill|murder|attack|punch)(?:s|ed)?\b/i,
};

const CATEGORIES = [
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/intent',
  'self-harm/instructions',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
];

const [SURE, UNLIKELY] = [0.98, 0.0001];

/** A verdict on a text in the form of OpenAI's moderations, by a few words and nothing else. */
export const judge = (text: string): object => {
  const found = new Set(CATEGORIES.filter((category) => WORDS[category]?.test(text) === true));
  const each = <T>(value: (isFound: boolean) => T): Record<string, T> =>
    Object.fromEntries(CATEGORIES.map((category) => [category, value(found.has(category))]));
  return {
    flagged: found.size > 0,
    categories: each((isFound) => isFound),
    category_scores: each((isFound) => (isFound ? SURE : UNLIKELY)),
    category_applied_input_types: each(() => ['text']),
  };
};
