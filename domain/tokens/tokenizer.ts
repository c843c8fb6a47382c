import { claudeGeneration } from './claude-generation.ts';

/** Vocabularies that are published, and that are counted with here. */
export type Encoding = 'o200k_base' | 'cl100k_base';

/** How a model's tokens are counted: with this vocabulary, and so many for each hundred of its tokens. */
export interface Tokenizer {
  readonly encoding: Encoding;
  readonly percent: number;
}

const o200k = (percent = 100): Tokenizer => ({ encoding: 'o200k_base', percent });
const cl100k = (percent = 100): Tokenizer => ({ encoding: 'cl100k_base', percent });

/** Anthropic publishes no vocabulary. From 4.7 on the same text takes about 30 % more tokens than before, by its own word. */
const claude = (name: string): Tokenizer => o200k(claudeGeneration(name) >= 4.7 ? 135 : 110);

/**
 * By a part of the name, the first that fits.
 *
 * OpenAI's are exact (tiktoken's own table). Llama 3's vocabulary is cl100k's with 28 000 more, so cl100k counts it from above; the one before
 * took up to 15 % more than Llama 3's. Mistral's Tekken does better than Llama 3's in most languages and its predecessor took about 30 % more.
 * Google's and the Chinese makers' come to between 80 and 100 % of o200k: the upper end is taken.
 */
const TABLE: readonly (readonly [RegExp, (name: string) => Tokenizer])[] = [
  [/claude|fable/, claude],
  [/gpt-4(?![o.\d])|gpt-3\.?5|davinci-002|babbage-002|text-embedding-(?:ada|3)/, () => cl100k()],
  [/gpt|(?:^|[/.])o[134](?:$|[-:@])|omni-moderation|computer-use/, () => o200k()],
  [/gemini|gemma|learnlm/, () => o200k()],
  [/llama-?(?:v)?[34]/, () => cl100k()],
  [/llama|vicuna/, () => cl100k(118)],
  [/mixtral|mistral-(?:7b|tiny)/, () => o200k(140)],
  [/mistral|ministral|codestral|devstral|magistral|pixtral|voxtral/, () => o200k(110)],
  [/qwen|qwq|qvq|deepseek|glm|kimi|moonshot|ernie|hunyuan|doubao|minimax|abab|baichuan|internlm|(?:^|\/)(?:yi|step|spark)-/, () => o200k()],
  [/command-|grok|(?:^|\/)(?:nova|titan|jamba|phi)-|amazon\.(?:nova|titan)/, () => o200k(110)],
];

/** Models of a family that is not known are counted as OpenAI's newest. */
const UNKNOWN = o200k();

const known = (model: string): Tokenizer | null => {
  const name = model.toLowerCase();
  return TABLE.find(([pattern]) => pattern.test(name))?.[1](name) ?? null;
};

/** How tokens of a model are counted. */
export const tokenizerOf = (model: string): Tokenizer => known(model) ?? UNKNOWN;

/** The name that says of what family a model is: an upstream's own where it says that, else the one that it has here. */
export const tellingName = (upstreamModel: string, model: string): string => (known(upstreamModel) === null ? model : upstreamModel);

/** Tokens of a text by its family's rule. No tokeniser makes more than one token of a byte. */
export const scaledTokens = (tokens: number, { percent }: Tokenizer, bytes: number): number =>
  Math.min(Math.ceil((tokens * percent) / 100), Math.max(tokens, bytes));
