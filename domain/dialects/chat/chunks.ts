import type { Told } from './told.ts';

type Json = Readonly<Record<string, unknown>>;

/** Makes the chunks of one stream, which all say whose they are. */
export class Chunks {
  id: string;
  readonly #created: number;
  readonly #model: string;

  /** `created` in seconds since the epoch. */
  constructor(id: string, created: number, model: string) {
    this.id = id;
    this.#created = created;
    this.#model = model;
  }

  delta(delta: Json, finish: string | null = null): Told {
    return { chunk: { ...this.#frame(), choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] } };
  }

  usage(usage: Json): Told {
    return { chunk: { ...this.#frame(), choices: [], usage } };
  }

  #frame(): Json {
    return { id: this.id, object: 'chat.completion.chunk', created: this.#created, model: this.#model };
  }
}
