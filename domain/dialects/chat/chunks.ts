import type { ChunkHead, Told } from './told.ts';

type Json = Readonly<Record<string, unknown>>;

class Head implements ChunkHead {
  readonly #frame: Json;
  #json: string | null = null;

  constructor(frame: Json) {
    this.#frame = frame;
  }

  get json(): string {
    return (this.#json ??= JSON.stringify({ ...this.#frame, choices: [] }).slice(0, -2));
  }
}

/** Makes the chunks of one stream, which all say whose they are. */
export class Chunks {
  readonly #created: number;
  #id: string;
  #model: string;
  /** `null`: it has to be told anew. */
  #head: ChunkHead | null = null;

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
    if (id !== this.#id) this.#head = null;
    this.#id = id;
  }

  set model(model: string) {
    if (model !== this.#model) this.#head = null;
    this.#model = model;
  }

  delta(delta: Json, finish: string | null = null, index = 0): Told {
    this.#head ??= new Head(this.#frame());
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
    return {
      chunk: { id: this.#id, object: 'chat.completion.chunk', created: this.#created, model: this.#model, choices: [], usage },
    };
  }

  #frame(): Json {
    return { id: this.#id, object: 'chat.completion.chunk', created: this.#created, model: this.#model };
  }
}
