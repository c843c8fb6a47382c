import { affordableOutput, USEFUL_OUTPUT_TOKENS, worstCase } from '../../domain/pricing/worst-case.ts';
import { largestImage } from '../../domain/tokens/prompt-bound.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { RequestId } from '../../schemas/ids.ts';
import { LARGEST_AMOUNT } from '../../schemas/money.ts';
import type { Hold, Spending } from '../ports/spending.ts';
import type { Caller } from './call.ts';
import { moneyOf, type ParsedCharge } from './endpoints/endpoints.ts';
import type { Route } from './route.ts';
import { mappedBy } from './upstream-address.ts';

/** What a call may cost, and what it is limited to when not all of that is there. */
export interface Reserved {
  readonly hold: Hold;
  /** Output tokens per choice that the hold covers, where that is less than the call asked for; `null` leaves the call as it is. */
  readonly loweredOutput: number | null;
}

/** How much dearer a picture may be to the model that a channel asks for in place of the one that was named. */
const dearerPicture = ({ channels, model }: Route, named: string): number => {
  const reckoned = largestImage(named);
  let most = reckoned;
  for (const { settings } of channels) most = Math.max(most, largestImage(mappedBy(settings, model)?.upstreamModel ?? model));
  return most - reckoned;
};

/** Sets the call's worst case aside. Waits only when the lease in hand does not cover it: a promise for each call would cost more than the hold. */
export const reserve = (
  spending: Spending,
  caller: Caller,
  requestId: RequestId,
  parsed: ParsedCharge,
  route: Route,
): Reserved | Refusal | Promise<Reserved | Refusal> => {
  const { price, groupRatio } = route;
  const { bound: asked, choices, predicted, pictures = 0 } = moneyOf(parsed.endpoint).bound(parsed, price);
  const added = route.addedTokens + (pictures === 0 ? 0 : pictures * dearerPicture(route, parsed.request.model));
  const bound = added === 0 ? asked : { ...asked, promptTokens: asked.promptTokens + added };
  const amount = worstCase(bound, price, groupRatio);
  if (amount > LARGEST_AMOUNT) return refuse('insufficient_quota');
  const usefulOutput = Math.min(bound.outputTokens, predicted + USEFUL_OUTPUT_TOKENS * choices);
  const least = usefulOutput === bound.outputTokens ? amount : worstCase(bound, price, groupRatio, usefulOutput);

  const reserving = spending.reserve({
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
  return reserving instanceof Promise ? reserving.then(limited) : limited(reserving);
};
