import { UNKNOWN_OUTPUT_LIMIT, worstCase } from '../../../domain/pricing/worst-case.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { UNKNOWN_CONTEXT } from '../../../domain/tokens/prompt-bound.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { PriceListId } from '../../../schemas/ids.ts';
import { LARGEST_AMOUNT, type Money } from '../../../schemas/money.ts';
import type { ModelPrice, Ratio } from '../../../schemas/price.ts';
import type { Directory } from '../../ports/directory.ts';
import { mayUseModel } from '../authenticate.ts';
import type { Caller } from '../call.ts';
import type { Span } from '../json-spans.ts';
import { readObject } from '../parse.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { behindVersion } from './passed-address.ts';

type Json = Readonly<Record<string, unknown>>;

/** A model that a request names, and where. */
export interface NamedModel {
  readonly name: string;
  /** In the body; `null` where the address has it. */
  readonly span: Span | null;
  /** In the address, from its first character on; `null` where the body has it. */
  readonly inAddress: readonly [start: number, end: number] | null;
}

/** A JSON body, as far as its price depends on it. */
export interface PassedJson {
  readonly value: Json;
  readonly modelSpan: Span | null;
}

/** What a call costs that goes to a provider by the provider's own address. */
export interface PassedPrice {
  /** As the charge names it: the model, or the pass-through of the provider. */
  readonly model: string;
  readonly priceListId: PriceListId;
  readonly price: ModelPrice;
  readonly groupRatio: Ratio;
  /** The most that it can come to. */
  readonly amount: Money;
  /** Charged by what its answer says that it used; else by the call. */
  readonly byUsage: boolean;
}

/** Things that an upstream keeps and works on behind its answer: what they cost is in no answer of theirs. */
const KEPT_THERE: ReadonlySet<string> = new Set([
  'assistants',
  'batches',
  'cachedContents',
  'containers',
  'conversations',
  'evals',
  'files',
  'fine_tuning',
  'fine-tunes',
  'jobs',
  'skills',
  'threads',
  'tunedModels',
  'uploads',
  'vector_stores',
  'videos',
]);

const segmentsOf = (rest: string): readonly string[] => behindVersion(rest).split('/');

/** Whether the address is one of things that are kept there. */
export const isKeptThere = (rest: string): boolean =>
  segmentsOf(rest).some((segment) => KEPT_THERE.has(decodeURIComponent(segment.split(':')[0] ?? ''))) ||
  /:(?:batch|predictLongRunning|asyncBatch)/.test(rest) ||
  rest.includes('async-invoke');

const FREE_POSTS = /(?:\/|:)(?:count_tokens|countTokens|tokenize|detokenize)$|\/input_tokens$|\/cancel$|:cancel$/;

/** Counts, or calls something off. */
export const costsNothing = (rest: string): boolean => FREE_POSTS.test(`/${rest}`);

const IN_ADDRESS = [/(?:^|\/)models\/([^:]+):[A-Za-z]+$/, /(?:^|\/)model\/([^/]+)\/[a-z-]+$/, /(?:^|\/)deployments\/([^/]+)\//];

/** The model that a request names, in its body or its address; a refusal where both name one and not the same. */
export const namedModel = (rest: string, json: PassedJson | null): NamedModel | Refusal | null => {
  const inBody = json !== null && typeof json.value['model'] === 'string' ? json.value['model'] : null;
  for (const form of IN_ADDRESS) {
    const found = form.exec(rest);
    const [whole = '', encoded] = found ?? [];
    if (found === null || encoded === undefined) continue;
    const name = decodeURIComponent(encoded);
    if (inBody !== null && inBody !== name && inBody !== `models/${name}`)
      return refuse('invalid_request', 'The address and the body name different models.', { param: 'model' });
    const start = found.index + whole.indexOf(encoded, whole.search(/models?\/|deployments\//));
    return { name, span: null, inAddress: [start, start + encoded.length] };
  }
  return inBody === null || json === null ? null : { name: inBody, span: json.modelSpan, inAddress: null };
};

/** A JSON object that every parser reads in the same way. */
export const passedJson = (body: Buffer, limits: RelayLimits): PassedJson | Refusal => {
  const read = readObject(body, ['model'], limits);
  if ('refused' in read) return read;
  return { value: read.value as Json, modelSpan: read.spans[0] ?? null };
};

const OUTPUT_LIMITS: ReadonlySet<string> = new Set([
  'max_completion_tokens',
  'max_new_tokens',
  'max_output_tokens',
  'max_tokens',
  'max_tokens_to_sample',
  'maxOutputTokens',
  'maxTokens',
  'max_gen_len',
  'num_predict',
]);

const CHOICES: ReadonlySet<string> = new Set(['n', 'best_of', 'candidateCount', 'candidate_count', 'num_generations', 'sampleCount']);

const count = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0);

/** The largest number under one of these names, in the object or in an object of its own. */
const largest = (value: Json, names: ReadonlySet<string>): number => {
  let most = 0;
  for (const [name, each] of Object.entries(value)) {
    if (names.has(name)) most = Math.max(most, count(each));
    else if (isRecord(each)) for (const [inner, one] of Object.entries(each)) if (names.has(inner)) most = Math.max(most, count(one));
  }
  return most;
};

/** What lies elsewhere, and is as long as the model's window lets it be. */
const REFERENCE = /(?:https?|gs|s3):\/\/|"(?:[A-Za-z_]*(?:_id|Id|_uri|Uri|_url)|cachedContent|previous_\w+|conversation|prompt_id)"\s*:/;
const MOST_TOOL_USES = 10;

const hasEnough = ({ kind, rates }: ModelPrice): boolean =>
  rates.call !== undefined ||
  (rates.input !== undefined && (rates.output !== undefined || kind === 'embedding' || kind === 'rerank' || kind === 'moderation'));

/** Nothing is known of the request but its size and the limits that it names, so each token is taken at the dearest class that there is. */
const mostOf = (body: Buffer, { value }: PassedJson, price: ModelPrice, ratio: Ratio): Money => {
  const refers = REFERENCE.test(body.toString('latin1')) || (Array.isArray(value['tools']) && value['tools'].length > 0);
  const context = price.contextTokens ?? UNKNOWN_CONTEXT;
  const limit = price.maxOutputTokens ?? Infinity;
  const asked = largest(value, OUTPUT_LIMITS);
  const each = Math.min(asked === 0 ? (price.maxOutputTokens ?? UNKNOWN_OUTPUT_LIMIT) : asked, limit);
  return worstCase(
    {
      promptTokens: refers ? Math.max(body.length, context) : body.length,
      outputTokens: price.rates.output === undefined ? 0 : each * Math.max(1, largest(value, CHOICES)),
      audioInput: true,
      imageInput: true,
      audioOutput: true,
      imageOutput: true,
      toolUses: MOST_TOOL_USES,
    },
    price,
    ratio,
  );
};

/** The name of the price of a call of the provider that cannot be charged by what it uses. */
export const passThroughModel = (providerId: string): string => `pass-through/${providerId}`;

/**
 * What a call costs: what its answer will say that it used, at the price of the model that it names; or, where nothing says what it uses, the
 * rate for the call of the provider's own pass-through, if the price list has one. `model`: `null` where none is named, or none that is served.
 */
export const priceOf = (
  directory: Directory,
  caller: Caller,
  providerId: string,
  rest: string,
  model: string | null,
  body: Buffer | null,
  json: PassedJson | null,
): PassedPrice | Refusal => {
  const groupRatio = directory.groupRatio(caller.user.group);
  const listed = model === null ? undefined : directory.price(model);
  if (model !== null && listed !== undefined && body !== null && json !== null && hasEnough(listed.price) && !isKeptThere(rest)) {
    if (!mayUseModel(caller, model))
      return refuse('model_not_allowed', `This API key may not use the model "${model.slice(0, 200)}".`, { param: 'model' });
    const amount = mostOf(body, json, listed.price, groupRatio);
    if (amount > LARGEST_AMOUNT) return refuse('insufficient_quota');
    return { model, ...listed, groupRatio, amount, byUsage: true };
  }
  const name = passThroughModel(providerId);
  const perCall = directory.price(name);
  if (perCall?.price.rates.call === undefined)
    return refuse(
      'model_without_price',
      `Nothing says what this call costs: it names no model that is served here and has a price, and the price list has no rate for a call of "${name}".`,
    );
  if (!mayUseModel(caller, name)) return refuse('model_not_allowed', `This API key may not use "${name}".`);
  const amount = worstCase(
    { promptTokens: 0, outputTokens: 0, audioInput: false, imageInput: false, audioOutput: false, imageOutput: false, toolUses: 0 },
    perCall.price,
    groupRatio,
  );
  return { model: name, ...perCall, groupRatio, amount, byUsage: false };
};
