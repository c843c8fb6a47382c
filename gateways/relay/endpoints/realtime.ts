import type { CallBound } from '../../../domain/pricing/worst-case.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { EndpointMoney } from './endpoint.ts';

/** One response of a realtime session, or the transcript of what was said in one. */
export interface ParsedRealtime {
  readonly endpoint: 'realtime';
  readonly body: Buffer;
  readonly request: { readonly model: string };
  readonly bound: CallBound;
  /** What it is reckoned to have used but for the words that it wrote: those are counted. */
  readonly reckoned: Usage;
}

export const realtime: EndpointMoney<ParsedRealtime> = {
  door: 'audio',
  kinds: new Set(['chat', 'other']),
  canCharge: ({ rates }) => rates.call !== undefined || (rates.input !== undefined && rates.output !== undefined),
  bound: ({ bound }) => ({ bound, choices: 1, predicted: bound.outputTokens }),
  estimate: async (counter, { reckoned }, _price, { texts, tokens }) => ({
    ...reckoned,
    output: (reckoned.output ?? 0) + tokens + (texts.length === 0 ? 0 : await counter.count(texts)),
  }),
  toolUses: () => 0,
};
