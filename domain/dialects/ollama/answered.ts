import { callArguments } from '../call-arguments.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** How an answer is told: as a chat's message, or as what follows a prompt. */
export type OllamaForm = 'chat' | 'generate';

export interface OllamaCounts {
  readonly prompt: number;
  readonly output: number;
}

const instant = (created: unknown): string => new Date((typeof created === 'number' ? created : 0) * 1_000).toISOString();

const piece = (form: OllamaForm, text: string, thinking: string, calls: readonly Json[] = []): Json => {
  const thought = thinking === '' ? {} : { thinking };
  return form === 'generate'
    ? { response: text, ...thought }
    : { message: { role: 'assistant', content: text, ...thought, ...(calls.length === 0 ? {} : { tool_calls: calls }) } };
};

const callOf = (index: number, id: string, name: string, given: string): Json => ({
  id: id === '' ? `call_${index}` : id,
  function: { index, name, arguments: callArguments(given) },
});

const ended = (finish: unknown, { prompt, output }: OllamaCounts): Json => ({
  done: true,
  done_reason: finish === 'length' ? 'length' : 'stop',
  total_duration: 0,
  load_duration: 0,
  prompt_eval_count: prompt,
  prompt_eval_duration: 0,
  eval_count: output,
  eval_duration: 0,
});

/** An answer of OpenAI's chat completions as one of Ollama's. */
export const ollamaAnswer = (completion: unknown, model: string, form: OllamaForm, counts: OllamaCounts): Json => {
  const said = isRecord(completion) ? completion : {};
  const choice: unknown = Array.isArray(said['choices']) ? said['choices'][0] : null;
  const message = isRecord(choice) && isRecord(choice['message']) ? choice['message'] : {};
  const calls = (Array.isArray(message['tool_calls']) ? (message['tool_calls'] as readonly unknown[]) : []).map((call, index) => {
    const named = isRecord(call) && isRecord(call['function']) ? call['function'] : {};
    return callOf(index, isRecord(call) ? textOf(call['id']) : '', textOf(named['name']), textOf(named['arguments']));
  });
  const text = textOf(message['content']) + textOf(message['refusal']);
  const thought = textOf(message['reasoning_content']) || textOf(message['reasoning']);
  return {
    model,
    created_at: instant(said['created']),
    ...piece(form, text, thought, calls),
    ...ended(isRecord(choice) ? choice['finish_reason'] : null, counts),
  };
};

/** Chunks of OpenAI's as lines of Ollama's, in which calls are whole: they are told when all have come. */
export class OllamaLines {
  readonly #model: string;
  readonly #form: OllamaForm;
  readonly #calls = new Map<number, { id: string; name: string; text: string }>();
  #created: unknown = 0;
  #finish: unknown = null;

  constructor(model: string, form: OllamaForm) {
    this.#model = model;
    this.#form = form;
  }

  /** `null`: it says nothing. */
  push(chunk: unknown): Json | null {
    if (!isRecord(chunk)) return null;
    this.#created = chunk['created'];
    const choices: readonly unknown[] = Array.isArray(chunk['choices']) ? chunk['choices'] : [];
    const choice = choices.find((one) => isRecord(one) && (one['index'] ?? 0) === 0);
    if (!isRecord(choice)) return null;
    if (typeof choice['finish_reason'] === 'string') this.#finish = choice['finish_reason'];
    const delta = isRecord(choice['delta']) ? choice['delta'] : {};
    for (const one of Array.isArray(delta['tool_calls']) ? (delta['tool_calls'] as readonly unknown[]) : [])
      if (isRecord(one)) this.#add(one);
    const text = textOf(delta['content']) + textOf(delta['refusal']);
    const thought = textOf(delta['reasoning_content']) || textOf(delta['reasoning']);
    return text === '' && thought === '' ? null : { ...this.#frame(), ...piece(this.#form, text, thought), done: false };
  }

  end(counts: OllamaCounts): readonly Json[] {
    const calls = [...this.#calls.values()].map(({ id, name, text }, index) => callOf(index, id, name, text));
    const called = calls.length === 0 ? [] : [{ ...this.#frame(), ...piece(this.#form, '', '', calls), done: false }];
    return [...called, { ...this.#frame(), ...piece(this.#form, '', ''), ...ended(this.#finish, counts) }];
  }

  #frame(): Json {
    return { model: this.#model, created_at: instant(this.#created) };
  }

  #add(one: Json): void {
    const index = typeof one['index'] === 'number' ? one['index'] : this.#calls.size;
    const call = this.#calls.get(index) ?? { id: '', name: '', text: '' };
    this.#calls.set(index, call);
    const named = isRecord(one['function']) ? one['function'] : {};
    if (call.id === '') call.id = textOf(one['id']);
    call.name += textOf(named['name']);
    call.text += textOf(named['arguments']);
  }
}
