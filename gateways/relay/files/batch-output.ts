import { ceilDivide, COST_DENOMINATOR, exactCost, promptTokensOf } from '../../../domain/pricing/cost.ts';
import { chatUsage } from '../../../domain/dialects/anthropic/reported-usage.ts';
import { hubCompletion } from '../../../domain/dialects/responses/response-events.ts';
import { readOpenAIUsage, type UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { ratesFor } from '../../../domain/pricing/rates.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import type { BatchMeasure } from '../../../commands/batches/settle-batch.ts';
import type { BatchEndpoint } from '../../../schemas/events/batch.ts';
import type { Money } from '../../../schemas/money.ts';
import type { ModelPrice, Ratio } from '../../../schemas/price.ts';
import { USAGE_CLASSES, type Usage } from '../../../schemas/usage.ts';
import { parsedJson } from '../dialects/parsed-json.ts';

/** Adds up what the answers of a batch say that they used, line by line. */
export class BatchOutput {
  readonly #price: ModelPrice;
  readonly #ratio: Ratio;
  readonly #endpoint: BatchEndpoint;
  readonly #usage: { -readonly [K in keyof Usage]: Usage[K] } = {};
  #answered = 0;
  #unreported = 0;
  #exact = 0n;

  constructor(price: ModelPrice, ratio: Ratio, endpoint: BatchEndpoint) {
    this.#price = price;
    this.#ratio = ratio;
    this.#endpoint = endpoint;
  }

  add(line: Buffer | null): void {
    const said = line === null ? null : parsedJson(line.toString('utf8'));
    if (this.#endpoint === '/v1/messages') return this.#addMessage(said);
    const response = isRecord(said) ? said['response'] : null;
    // A request that failed cost nothing; a line that cannot be read may be an answer.
    if (isRecord(said) && !isRecord(response)) return;
    if (isRecord(response) && response['status_code'] !== 200) return;
    this.#answered++;
    const body = isRecord(response) && isRecord(response['body']) ? response['body'] : {};
    const isPromptOnly = this.#endpoint === '/v1/embeddings' || this.#endpoint === '/v1/moderations';
    const told = this.#endpoint === '/v1/responses' ? hubCompletion(body) : body;
    this.#count(readOpenAIUsage(told['usage'], isPromptOnly ? 'embeddings' : 'chat'));
  }

  #addMessage(said: unknown): void {
    const result = isRecord(said) ? said['result'] : null;
    // As above: what failed, was cancelled or expired cost nothing.
    if (isRecord(result) && result['type'] !== 'succeeded') return;
    this.#answered++;
    const message = isRecord(result) && isRecord(result['message']) ? result['message'] : {};
    this.#count(readOpenAIUsage(isRecord(message['usage']) ? chatUsage(message['usage']) : undefined, 'chat'));
  }

  #count(reading: UsageReading): void {
    if (reading.kind !== 'reported') {
      this.#unreported++;
      return;
    }
    const usage: Usage = this.#price.rates.call === undefined ? reading.usage : { ...reading.usage, call: 1 };
    for (const name of USAGE_CLASSES) if (usage[name] !== undefined) this.#usage[name] = (this.#usage[name] ?? 0) + usage[name];
    this.#exact += exactCost(usage, ratesFor(this.#price, promptTokensOf(usage)));
  }

  /** Answers that do not say what they used cost their share of the worst case. */
  measure(charged: Money, requests: number): BatchMeasure {
    const share = requests === 0 ? 0n : ceilDivide(charged * BigInt(this.#unreported), BigInt(requests));
    const cost = (ceilDivide(this.#exact * BigInt(this.#ratio), COST_DENOMINATOR) + share) as Money;
    return { usage: this.#usage, answered: this.#answered, unreported: this.#unreported, cost };
  }
}
