import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

interface Call {
  id: string;
  name: string;
  text: string;
}

/**
 * Chunks of OpenAI's stream as those of Mistral's, whose clients take a call of a tool only whole: calls are told in the last chunk, with why
 * it ended and what it took.
 */
export class MistralChunks {
  readonly #id: string;
  readonly #model: string;
  readonly #calls = new Map<number, Call>();
  #created = 0;
  #finish = 'stop';

  constructor(id: string, model: string) {
    this.#id = id;
    this.#model = model;
  }

  /** `null`: there is nothing to tell as yet. */
  push(chunk: unknown): Json | null {
    if (!isRecord(chunk)) return null;
    if (typeof chunk['created'] === 'number') this.#created = chunk['created'];
    const choices: readonly unknown[] = Array.isArray(chunk['choices']) ? chunk['choices'] : [];
    const choice = choices.find((one) => isRecord(one) && (one['index'] ?? 0) === 0);
    if (!isRecord(choice)) return null;
    const delta = isRecord(choice['delta']) ? choice['delta'] : {};
    for (const piece of Array.isArray(delta['tool_calls']) ? (delta['tool_calls'] as readonly unknown[]) : []) this.#add(piece);
    const finish = textOf(choice['finish_reason']);
    if (finish !== '') this.#finish = finish;
    const content = textOf(delta['content']) + textOf(delta['refusal']);
    const said: Json = { ...(typeof delta['role'] === 'string' ? { role: delta['role'] } : {}), content };
    return content === '' && said['role'] === undefined ? null : this.#chunk(said, null);
  }

  end(usage: Json): Json {
    const calls = [...this.#calls.values()].map(({ id, name, text }, index) => ({
      index,
      id: id === '' ? `call${index}` : id,
      type: 'function',
      function: { name, arguments: text === '' ? '{}' : text },
    }));
    const said = { content: '', ...(calls.length === 0 ? {} : { tool_calls: calls }) };
    const whole = this.#finish === 'stop' && calls.length > 0 ? 'tool_calls' : this.#finish;
    return { ...this.#chunk(said, whole), usage };
  }

  #add(piece: unknown): void {
    if (!isRecord(piece)) return;
    const index = typeof piece['index'] === 'number' ? piece['index'] : this.#calls.size;
    const call = this.#calls.get(index) ?? { id: '', name: '', text: '' };
    this.#calls.set(index, call);
    const named = isRecord(piece['function']) ? piece['function'] : {};
    if (call.id === '') call.id = textOf(piece['id']);
    call.name += textOf(named['name']);
    call.text += textOf(named['arguments']);
  }

  #chunk(delta: Json, finish: string | null): Json {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    return { id: this.#id, object: 'chat.completion.chunk', created: this.#created, model: this.#model, choices };
  }
}
