import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { BatchEndpoint } from '../../../schemas/events/batch.ts';
import { weighJson } from '../bodies/json-weight.ts';
import { parse } from '../endpoints/endpoints.ts';
import type { ParsedRequest } from '../endpoints/parsed-request.ts';
import { readObject } from '../parse.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { BatchTotal, type FindBatchPrice } from './batch-total.ts';
import { parseResponseInBatch } from './response-in-batch.ts';

export type FileBatchEndpoint = Exclude<BatchEndpoint, '/v1/messages'>;

/** How the relay names what a batch's requests are. */
export const ENDPOINT_OF: Readonly<Record<FileBatchEndpoint, 'chat' | 'completions' | 'embeddings' | 'moderations'>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'completions',
  '/v1/embeddings': 'embeddings',
  '/v1/moderations': 'moderations',
  '/v1/responses': 'chat',
};

/** OpenAI's own limit. */
const MOST_REQUESTS = 50_000;

const wrong = (line: number, why: string): Refusal =>
  refuse('invalid_request', `Line ${line} of the input file: ${why}`, { param: 'input_file_id' });

/** Reads the requests of a batch of OpenAI's, line by line. */
export class BatchInput {
  readonly #endpoint: FileBatchEndpoint;
  readonly #limits: RelayLimits;
  readonly total: BatchTotal;
  #lines = 0;
  refusal: Refusal | null = null;

  constructor(endpoint: FileBatchEndpoint, limits: RelayLimits, priceOf: FindBatchPrice) {
    this.#endpoint = endpoint;
    this.#limits = limits;
    this.total = new BatchTotal(priceOf);
  }

  /** False: the batch is refused. */
  add(line: Buffer | null): boolean {
    this.#lines++;
    this.refusal = this.#read(line);
    return this.refusal === null;
  }

  #read(line: Buffer | null): Refusal | null {
    const number = this.#lines;
    if (number > MOST_REQUESTS) return wrong(number, `a batch has at most ${MOST_REQUESTS} requests.`);
    if (line === null) return wrong(number, `a request has at most ${this.#limits.bodyBytes} bytes.`);
    const weight = weighJson(line);
    if (isRefusal(weight)) return wrong(number, weight.message);
    const read = readObject(line, ['body'], this.#limits);
    if ('refused' in read) return wrong(number, read.message);
    const { method, url } = read.value as { readonly method?: unknown; readonly url?: unknown };
    const [body = null] = read.spans;
    if (method !== 'POST' || url !== this.#endpoint) return wrong(number, `the method has to be POST and the url ${this.#endpoint}.`);
    if (body === null) return wrong(number, 'there is no body.');
    const parsed = this.#parse(Buffer.from(line.subarray(body.start, body.end)));
    if ('refused' in parsed) return wrong(number, parsed.message);
    const unfit = this.total.add(parsed);
    return typeof unfit === 'string' ? wrong(number, unfit) : unfit;
  }

  #parse(body: Buffer): ParsedRequest | Refusal {
    return this.#endpoint === '/v1/responses'
      ? parseResponseInBatch(body, this.#limits)
      : parse(body, ENDPOINT_OF[this.#endpoint], this.#limits);
  }
}
