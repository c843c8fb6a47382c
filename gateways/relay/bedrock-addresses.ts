import { converseAnswers } from './dialects/converse-answers.ts';
import { converseBodyFor } from './dialects/provider-requests.ts';
import type { SpendingRoute } from './spending-route.ts';

/** Verbs behind a model’s name, and whether what is asked for is a stream. */
const VERBS: readonly (readonly [verb: string, streamed: boolean])[] = [
  ['converse', false],
  ['converse-stream', true],
];

const addressOf = (verb: string): string => `/bedrock/model/{model}/${verb}`;

/** What an address of Bedrock’s asks for, by what stands behind `/bedrock/model/`; `null`: nothing that is there. */
export const converseRoute = (rest: string): SpendingRoute | null => {
  for (const [verb, streamed] of VERBS) {
    const model = rest.endsWith(`/${verb}`) ? rest.slice(0, -verb.length - 1) : '';
    if (model !== '')
      return { endpoint: 'chat', name: addressOf(verb), dialect: converseAnswers, hubBody: converseBodyFor(model, streamed) };
  }
  return null;
};

/** Addresses of Bedrock’s that can spend. */
export const converseAddresses: readonly string[] = VERBS.map(([verb]) => addressOf(verb));
