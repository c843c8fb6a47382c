import { parentPort } from 'node:worker_threads';
import { Tiktoken } from 'js-tiktoken/lite';
import ranks from 'js-tiktoken/ranks/o200k_base';
import { countTexts } from './count-texts.ts';

/** A question and its answer; `id` ties them together. */
export interface CountRequest {
  readonly id: number;
  readonly texts: readonly string[];
}

export interface CountAnswer {
  readonly id: number;
  readonly tokens: number;
}

const encoder = new Tiktoken(ranks);

parentPort?.on('message', ({ id, texts }: CountRequest) => {
  parentPort?.postMessage({ id, tokens: countTexts(encoder, texts) } satisfies CountAnswer);
});
// Said once, when the tables are loaded.
parentPort?.postMessage('ready');
