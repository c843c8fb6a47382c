import { openaiAnswers } from './dialects/openai-answers.ts';
import { splice } from './json-spans.ts';
import { readObject } from './parse.ts';
import type { HubBody, SpendingRoute } from './spending-route.ts';

const PREFIX = '/openai/v1/';
const DEPLOYMENTS = '/openai/deployments/';

/** Groq’s clients and Azure’s newer ones have OpenAI’s addresses behind a word of their own: the address without it, or `null` where it has none. */
export const withoutOpenaiPrefix = (url: string): string | null => (url.startsWith(PREFIX) ? url.slice('/openai'.length) : null);

/** What can be asked of a deployment: all whose bodies are JSON. */
const METHODS: ReadonlyMap<string, SpendingRoute['endpoint']> = new Map([
  ['chat/completions', 'chat'],
  ['completions', 'completions'],
  ['embeddings', 'embeddings'],
  ['images/generations', 'images'],
  ['audio/speech', 'speech'],
]);

const addressOf = (method: string): string => `${DEPLOYMENTS}{model}/${method}`;

/** A body that says which model it is for, whatever it said before: on Azure the address alone decides. */
const bodyFor =
  (model: string): HubBody =>
  (body, limits) => {
    const read = readObject(body, ['model'], limits);
    if ('refused' in read) return read;
    const { spans, inside, value } = read;
    const text = JSON.stringify(model);
    const [span] = spans;
    if (span !== null && span !== undefined) return splice(body, [{ ...span, text }]);
    const isEmpty = Object.keys(value as object).length === 0;
    return splice(body, [{ start: inside, end: inside, text: `"model":${text}${isEmpty ? '' : ','}` }]);
  };

/** What an address of a deployment asks for, by what stands behind `/openai/deployments/`; `null`: nothing that is there. */
export const deploymentRoute = (rest: string): SpendingRoute | null => {
  for (const [method, endpoint] of METHODS) {
    if (!rest.endsWith(`/${method}`)) continue;
    const model = rest.slice(0, -method.length - 1);
    // `chat/completions` ends with `completions`, and is listed before it.
    if (model !== '') return { endpoint, name: addressOf(method), dialect: openaiAnswers, hubBody: bodyFor(model) };
  }
  return null;
};

/** Addresses of deployments that can spend. */
export const deploymentAddresses: readonly string[] = [...METHODS.keys()].map(addressOf);
