import {
  affordableOutput,
  UNKNOWN_OUTPUT_LIMIT,
  USEFUL_OUTPUT_TOKENS,
  worstCase,
  type CallBound,
} from '../../domain/pricing/worst-case.ts';
import { boundInput, boundPrompt } from '../../domain/tokens/prompt-bound.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { RequestId } from '../../schemas/ids.ts';
import { LARGEST_AMOUNT } from '../../schemas/money.ts';
import type { ChatRequest } from '../../schemas/openai/chat-request.ts';
import type { Hold, Spending } from '../ports/spending.ts';
import type { Caller } from './call.ts';
import type { ParsedRequest } from './parse.ts';
import type { Route } from './route.ts';

/** What a call may cost, and what it is limited to when not all of that is there. */
export interface Reserved {
  readonly hold: Hold;
  /** Output tokens per choice that the hold covers, where that is less than the call asked for; `null` leaves the call as it is. */
  readonly loweredOutput: number | null;
}

export interface Bounded {
  readonly bound: CallBound;
  readonly choices: number;
  /** The part of the bound's output that no limit on the answer lowers. */
  readonly predicted: number;
}

/** The most that one choice may produce: what the caller allows, and never more than the model can. */
const outputPerChoice = (request: ChatRequest, modelLimit: number | undefined): number => {
  const asked = Math.max(request.max_tokens ?? 0, request.max_completion_tokens ?? 0);
  if (asked === 0) return modelLimit ?? UNKNOWN_OUTPUT_LIMIT;
  return modelLimit === undefined ? asked : Math.min(asked, modelLimit);
};

/** Predicted output that is not used is billed as output. */
const predictedTokens = (request: ChatRequest): number => {
  const prediction = request['prediction'];
  return prediction === undefined || prediction === null ? 0 : Buffer.byteLength(JSON.stringify(prediction));
};

/** What a request can use at most, by its own limits and the model's. */
export const boundCall = (parsed: ParsedRequest, { price }: Pick<Route, 'price'>): Bounded => {
  if (parsed.endpoint === 'embeddings') {
    const none = { outputTokens: 0, audioInput: false, imageInput: false, audioOutput: false, imageOutput: false, toolUses: 0 };
    return { bound: { promptTokens: boundInput(parsed.body.length), ...none }, choices: 1, predicted: 0 };
  }
  const { request, body } = parsed;
  const prompt = boundPrompt(request, body.length, price.contextTokens);
  const choices = request.n ?? 1;
  const predicted = predictedTokens(request);
  const search = request['web_search_options'];
  return {
    choices,
    predicted,
    bound: {
      promptTokens: prompt.tokens,
      outputTokens: outputPerChoice(request, price.maxOutputTokens) * choices + predicted,
      audioInput: prompt.audio,
      imageInput: prompt.image,
      audioOutput: request.modalities?.includes('audio') ?? false,
      imageOutput: request.modalities?.includes('image') ?? false,
      toolUses: search === undefined || search === null ? 0 : 1,
    },
  };
};

/** Sets the call's worst case aside. Waits only when the lease in hand does not cover it: a promise for each call would cost more than the hold. */
export const reserve = (
  spending: Spending,
  caller: Caller,
  requestId: RequestId,
  parsed: ParsedRequest,
  route: Route,
): Reserved | Refusal | Promise<Reserved | Refusal> => {
  const { bound, choices, predicted } = boundCall(parsed, route);
  const { price, groupRatio } = route;
  const amount = worstCase(bound, price, groupRatio);
  if (amount > LARGEST_AMOUNT) return refuse('insufficient_quota');
  const usefulOutput = Math.min(bound.outputTokens, predicted + USEFUL_OUTPUT_TOKENS * choices);
  const least = usefulOutput === bound.outputTokens ? amount : worstCase({ ...bound, outputTokens: usefulOutput }, price, groupRatio);

  const asked = spending.reserve({
    requestId,
    userId: caller.user.userId,
    tokenId: caller.token.tokenId,
    model: route.model,
    priceListId: route.priceListId,
    amount,
    least,
  });
  const limited = (hold: Hold | Refusal): Reserved | Refusal => {
    if ('refused' in hold) return hold;
    if (hold.amount >= amount) return { hold, loweredOutput: null };
    const affordable = affordableOutput(bound, price, groupRatio, hold.amount);
    return { hold, loweredOutput: Math.max(1, Math.floor((affordable - predicted) / choices)) };
  };
  return asked instanceof Promise ? asked.then(limited) : limited(asked);
};
