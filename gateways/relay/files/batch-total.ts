import { worstCase } from '../../../domain/pricing/worst-case.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { Money } from '../../../schemas/money.ts';
import type { PriceListId } from '../../../schemas/ids.ts';
import type { ModelPrice, Ratio } from '../../../schemas/price.ts';
import { rulesOf } from '../endpoints/endpoints.ts';
import type { ParsedRequest } from '../endpoints/parsed-request.ts';
import { estimateOf, type Estimate } from '../limits/limit-gate.ts';

/** One model's price, and the share of it that is paid. */
export interface BatchPrice {
  readonly model: string;
  readonly priceListId: PriceListId;
  readonly price: ModelPrice;
  readonly ratio: Ratio;
}

export type FindBatchPrice = (model: string) => Omit<BatchPrice, 'model'> | Refusal;

/** Adds up what the requests of a batch can cost at most, and what they are reckoned to use. */
export class BatchTotal {
  readonly #priceOf: FindBatchPrice;
  requests = 0;
  amount = 0n as Money;
  /** Of its first request; all others are of the same. */
  priced: BatchPrice | null = null;
  #input = 0;
  #output = 0;
  #cost = 0;

  constructor(priceOf: FindBatchPrice) {
    this.#priceOf = priceOf;
  }

  get estimate(): Estimate {
    return { requests: this.requests, input: this.#input, output: this.#output, cost: this.#cost };
  }

  /** A sentence says what is wrong with the request itself. */
  add(parsed: ParsedRequest): Refusal | string | null {
    const { model } = parsed.request;
    if (this.priced === null) {
      const priced = this.#priceOf(model);
      if ('refused' in priced) return priced;
      this.priced = { model, ...priced };
    }
    if (this.priced.model !== model) return `all requests of a batch are of one model, and the first is of "${this.priced.model}".`;
    const rules = rulesOf(parsed.endpoint);
    if (rules.streamed(parsed)) return 'nothing can be streamed.';
    const { price, ratio } = this.priced;
    this.amount = (this.amount + worstCase(rules.bound(parsed, price).bound, price, ratio)) as Money;
    const { input, output, cost } = estimateOf(parsed, { price, groupRatio: ratio });
    this.requests++;
    this.#input += input;
    this.#output += output;
    this.#cost += cost;
    return null;
  }
}
