/** A small deterministic number source: the same seed tells the same story. */
export const hashOf = (text: string, seed = 0x811c9dc5): number => {
  let hash = seed >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
};

/** The simulated tokeniser: a token is up to six characters of a word, with the white space before it. */
export const tokensOf = (text: string): readonly string[] => text.match(/\s*\S{1,6}|\s+$/gu) ?? [];

const OPENINGS = [
  'The lighthouse keeper counted every ship twice, once by eye and once by ear.',
  'On the morning the market opened, the scales were found to agree with each other.',
  'A clockmaker in the old town kept a drawer for minutes that nobody had claimed.',
  'The river had a toll bridge, and the bridge had a book in which nothing was ever crossed out.',
];
const MIDDLES = [
  'Nothing was written down until it had happened, and nothing that had happened was left unwritten.',
  'A traveller asked what the smallest coin was for, and was shown a jar that held ten thousand of them.',
  'When the storm came, the lamp went out and the count did not.',
  'Two clerks added the same column from both ends and met in the middle with the same sum.',
  'The apprentice wanted to round the number off; the master moved his stool a little further from the window.',
  'By noon there were three explanations for the missing lantern, and by evening there was the lantern.',
  'She lent out trust in small portions, for a short time, and always knew how much was out.',
  'Someone knocked, someone answered, and both of them remembered it the same way.',
];
const ENDINGS = [
  'In the end the book balanced, as it had after every single line before.',
  'And when people asked how it was known, the page was turned towards them.',
  'The light swept over the water once more, and the count was one higher.',
];

const pick = (from: readonly string[], number: number): string => from[number % from.length] as string;

/** A story of a few paragraphs, the same for the same prompt. */
export const storyFor = (prompt: string): string => {
  let number = hashOf(prompt);
  const paragraphs: string[] = [pick(OPENINGS, number)];
  for (let paragraph = 0; paragraph < 3; paragraph++) {
    const sentences: string[] = [];
    for (let sentence = 0; sentence < 3; sentence++) {
      number = hashOf(String(number), number);
      sentences.push(pick(MIDDLES, number));
    }
    paragraphs.push(sentences.join(' '));
  }
  paragraphs.push(pick(ENDINGS, number));
  return paragraphs.join('\n\n');
};
