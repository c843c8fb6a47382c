import { worstCase } from '../../../domain/pricing/worst-case.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { BatchEndpoint } from '../../../schemas/events/batch.ts';
import type { Money } from '../../../schemas/money.ts';
import type { ModelPrice, Ratio } from '../../../schemas/price.ts';
import { parse, rulesOf } from '../endpoints/endpoints.ts';
import type { ParsedRequest } from '../endpoints/parsed-request.ts';
import { readObject } from '../parse.ts';
import type { RelayLimits } from '../relay-limits.ts';

/** How the relay names what a batch's requests are. */
export const ENDPOINT_OF: Readonly<Record<BatchEndpoint, 'chat' | 'completions' | 'embeddings' | 'moderations'>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'completions',
  '/v1/embeddings': 'embeddings',
  '/v1/moderations': 'moderations',
};

/** OpenAI's own limit. */
const MOST_REQUESTS = 50_000;

const wrong = (line: number, why: string): Refusal =>
  refuse('invalid_request', `Line ${line} of the input file: ${why}`, { param: 'input_file_id' });

/** One model's price, and the share of it that is paid. */
export interface BatchPrice {
  readonly model: string;
  readonly price: ModelPrice;
  readonly ratio: Ratio;
}

/** Adds up what the requests of a batch can cost at most, line by line. */
export class BatchInput {
  readonly #endpoint: BatchEndpoint;
  readonly #limits: RelayLimits;
  readonly #priceOf: (model: string) => Omit<BatchPrice, 'model'> | Refusal;
  requests = 0;
  amount = 0n as Money;
  /** Of its first request; all others are of the same. */
  priced: BatchPrice | null = null;
  refusal: Refusal | null = null;

  constructor(endpoint: BatchEndpoint, limits: RelayLimits, priceOf: (model: string) => Omit<BatchPrice, 'model'> | Refusal) {
    this.#endpoint = endpoint;
    this.#limits = limits;
    this.#priceOf = priceOf;
  }

  /** False: the batch is refused. */
  add(line: Buffer | null): boolean {
    this.requests++;
    this.refusal = this.#read(line);
    return this.refusal === null;
  }

  #read(line: Buffer | null): Refusal | null {
    const number = this.requests;
    if (number > MOST_REQUESTS) return wrong(number, `a batch has at most ${MOST_REQUESTS} requests.`);
    if (line === null) return wrong(number, `a request has at most ${this.#limits.bodyBytes} bytes.`);
    const read = readObject(line, ['body'], this.#limits);
    if ('refused' in read) return wrong(number, read.message);
    const { method, url } = read.value as { readonly method?: unknown; readonly url?: unknown };
    const [body = null] = read.spans;
    if (method !== 'POST' || url !== this.#endpoint) return wrong(number, `the method has to be POST and the url ${this.#endpoint}.`);
    if (body === null) return wrong(number, 'there is no body.');
    const parsed = parse(Buffer.from(line.subarray(body.start, body.end)), ENDPOINT_OF[this.#endpoint], this.#limits);
    if ('refused' in parsed) return wrong(number, parsed.message);
    return this.#count(number, parsed);
  }

  #count(number: number, parsed: ParsedRequest): Refusal | null {
    const rules = rulesOf(parsed.endpoint);
    const { model } = parsed.request;
    if (this.priced === null) {
      const priced = this.#priceOf(model);
      if ('refused' in priced) return priced;
      this.priced = { model, ...priced };
    }
    if (this.priced.model !== model)
      return wrong(number, `all requests of a batch are of one model, and the first is of "${this.priced.model}".`);
    if (rules.streamed(parsed)) return wrong(number, 'nothing can be streamed.');
    const { price, ratio } = this.priced;
    this.amount = (this.amount + worstCase(rules.bound(parsed, price).bound, price, ratio)) as Money;
    return null;
  }
}
