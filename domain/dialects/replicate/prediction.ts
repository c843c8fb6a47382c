import { Chunks } from '../chat/chunks.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { wordedError } from '../openai/worded-error.ts';

type Json = Readonly<Record<string, unknown>>;

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The id of a prediction that has not ended, and where its events are; `null` for what is none, or has. */
export const unendedPrediction = (said: unknown): { readonly id: string; readonly events: string | null } | null => {
  if (!isRecord(said) || (said['status'] !== 'starting' && said['status'] !== 'processing' && said['status'] !== 'queued')) return null;
  const id = textOf(said['id']);
  if (!ID.test(id)) return null;
  const stream = isRecord(said['urls']) ? textOf(said['urls']['stream']) : '';
  return { id, events: stream === '' ? null : stream };
};

/** What a prediction came to that did not succeed; `null`: it did. */
export const predictionError = (said: unknown): { readonly status: number; readonly message: string } | null => {
  if (isRecord(said) && (said['status'] === 'succeeded' || said['status'] === 'successful')) return null;
  const error = isRecord(said) ? textOf(said['error']) : '';
  const status = isRecord(said) ? textOf(said['status']) : '';
  return { status: 502, message: error || (status === '' ? 'What came is no prediction.' : `The prediction ${status}.`) };
};

const count = (metrics: unknown, ...names: readonly string[]): number | null => {
  if (!isRecord(metrics)) return null;
  for (const name of names) if (typeof metrics[name] === 'number') return metrics[name];
  return null;
};

const usageOf = ({ metrics }: Json): Json | null => {
  const prompt = count(metrics, 'input_token_count', 'token_input_count');
  const output = count(metrics, 'output_token_count', 'token_output_count');
  return prompt === null || output === null ? null : { prompt_tokens: prompt, completion_tokens: output };
};

const textsOf = (output: unknown): readonly string[] =>
  typeof output === 'string' ? [output] : Array.isArray(output) ? (output as readonly unknown[]).map(textOf) : [];

/**
 * A prediction’s events, each as `{event, data}`, as chunks of OpenAI’s chat completions.
 *
 * | event    | comes to                                                                                        |
 * |----------|-------------------------------------------------------------------------------------------------|
 * | `taken`  | a sign of life: whose answer it is                                                              |
 * | `output` | a piece of text                                                                                 |
 * | `work`   | the prediction as it ended: text that no event told, the reason for the end, the usage, the end |
 * | any other| a sign of life                                                                                  |
 */
export class PredictionChunks implements Teller {
  readonly #chunks: Chunks;
  #said = '';
  #hasBegun = false;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(created: number, model: string) {
    this.#chunks = new Chunks('chatcmpl-', created, model);
  }

  push(event: unknown): readonly Told[] {
    if (!isRecord(event) || this.#isOver) return [];
    if (event['event'] === 'output') return this.#say(textOf(event['data']));
    const { data } = event;
    if (event['event'] === 'work') return this.#end(data);
    if (event['event'] === 'taken' && isRecord(data)) this.#chunks.id = `chatcmpl-${textOf(data['id'])}`;
    return ['alive'];
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }

  #say(text: string): readonly Told[] {
    if (text === '') return ['alive'];
    this.#said += text;
    const told: Told[] = [];
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
    }
    return [...told, this.#chunks.delta({ content: text })];
  }

  #end(prediction: unknown): readonly Told[] {
    this.#isOver = true;
    const error = predictionError(prediction);
    if (error !== null || !isRecord(prediction)) return [{ chunk: wordedError(error?.status ?? 502, error) }];
    if (!this.#hasBegun) this.#chunks.id = `chatcmpl-${textOf(prediction['id'])}`;
    const whole = textsOf(prediction['output']).join('');
    const rest = whole.startsWith(this.#said) ? whole.slice(this.#said.length) : '';
    const told: Told[] = rest === '' ? [] : [...this.#say(rest)];
    if (!this.#hasBegun) told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
    told.push(this.#chunks.delta({}, 'stop'));
    const usage = usageOf(prediction);
    if (usage !== null) told.push(this.#chunks.usage(usage));
    return [...told, 'done'];
  }
}

const DATA_URL = /^data:image\/[a-z0-9.+-]+;base64,/i;

/** A prediction as the pictures of OpenAI’s form; `null` where there are none in it. */
export const predictedImages = (prediction: unknown, created: number): Json | null => {
  if (!isRecord(prediction)) return null;
  const data = textsOf(prediction['output'])
    .filter((one) => one !== '')
    .map((url) => (DATA_URL.test(url.slice(0, 100)) ? { b64_json: url.slice(url.indexOf(',') + 1) } : { url }));
  return data.length === 0 ? null : { created, data };
};
