import { parentPort } from 'node:worker_threads';
import { Tiktoken } from 'js-tiktoken/lite';
import type { Encoding, Tokenizer } from '../../domain/tokens/tokenizer.ts';
import { countTexts } from './count-texts.ts';

/** A question and its answer; `id` ties them together. */
export interface CountRequest {
  readonly id: number;
  readonly texts: readonly string[];
  readonly tokenizer: Tokenizer;
}

export interface CountAnswer {
  readonly id: number;
  readonly tokens: number;
}

/** Tables are large: each is loaded when a model that needs it is first counted. */
const LOAD: { readonly [E in Encoding]: () => Promise<{ readonly default: ConstructorParameters<typeof Tiktoken>[0] }> } = {
  o200k_base: () => import('js-tiktoken/ranks/o200k_base'),
  cl100k_base: () => import('js-tiktoken/ranks/cl100k_base'),
};

const loaded = new Map<Encoding, Promise<Tiktoken>>();

const encoderOf = (encoding: Encoding): Promise<Tiktoken> => {
  const known = loaded.get(encoding);
  if (known !== undefined) return known;
  const loading = LOAD[encoding]().then((ranks) => {
    const encoder = new Tiktoken(ranks.default);
    // Said once for each.
    parentPort?.postMessage(encoding);
    return encoder;
  });
  loaded.set(encoding, loading);
  return loading;
};

parentPort?.on('message', ({ id, texts, tokenizer }: CountRequest) => {
  void encoderOf(tokenizer.encoding).then((encoder) => {
    parentPort?.postMessage({ id, tokens: countTexts(encoder, texts, tokenizer) } satisfies CountAnswer);
  });
});
