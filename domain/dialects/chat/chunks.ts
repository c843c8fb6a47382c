import type { Told } from './told.ts';

type Json = Readonly<Record<string, unknown>>;

/** Makes the chunks of one stream, which all say whose they are. */
export class Chunks {
  readonly #created: number;
  #id: string;
  #model: string;
  /** The JSON of a chunk up to its choice; empty where it has to be told anew. */
  #head = '';

  /** `created` in seconds since the epoch. */
  constructor(id: string, created: number, model: string) {
    this.#id = id;
    this.#created = created;
    this.#model = model;
  }

  get id(): string {
    return this.#id;
  }

  set id(id: string) {
    if (id !== this.#id) this.#head = '';
    this.#id = id;
  }

  set model(model: string) {
    if (model !== this.#model) this.#head = '';
    this.#model = model;
  }

  delta(delta: Json, finish: string | null = null, index = 0): Told {
    if (this.#head === '') this.#head = JSON.stringify({ ...this.#frame(), choices: [] }).slice(0, -2);
    return {
      chunk: {
        id: this.#id,
        object: 'chat.completion.chunk',
        created: this.#created,
        model: this.#model,
        choices: [{ index, delta, logprobs: null, finish_reason: finish }],
      },
      head: this.#head,
    };
  }

  usage(usage: Json): Told {
    return { chunk: { ...this.#frame(), choices: [], usage } };
  }

  #frame(): Json {
    return { id: this.#id, object: 'chat.completion.chunk', created: this.#created, model: this.#model };
  }
}
