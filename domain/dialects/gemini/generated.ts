import { callArguments } from '../call-arguments.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

export interface GenerationIdentity {
  readonly responseId: string;
  /** As the client named it. */
  readonly model: string;
}

const finishReasonOf = (reason: unknown): string => {
  switch (reason) {
    case 'length':
      return 'MAX_TOKENS';
    case 'content_filter':
      return 'SAFETY';
    default:
      return 'STOP';
  }
};

interface Call {
  id: string;
  name: string;
  text: string;
}

const callPart = ({ id, name, text }: Call): Json => ({ functionCall: { ...(id === '' ? {} : { id }), name, args: callArguments(text) } });

const choiceOf = (value: unknown): Json | null => {
  const choices: readonly unknown[] = isRecord(value) && Array.isArray(value['choices']) ? value['choices'] : [];
  for (const choice of choices) if (isRecord(choice) && (choice['index'] ?? 0) === 0) return choice;
  return null;
};

/** Adds what is said of calls to those that are known by their index. */
const addCalls = (said: Json, calls: Map<number, Call>): void => {
  if (!Array.isArray(said['tool_calls'])) return;
  for (const fragment of said['tool_calls'] as readonly unknown[]) {
    if (!isRecord(fragment)) continue;
    const index = typeof fragment['index'] === 'number' ? fragment['index'] : calls.size;
    const named = isRecord(fragment['function']) ? fragment['function'] : {};
    const call = calls.get(index) ?? { id: '', name: '', text: '' };
    calls.set(index, call);
    if (call.id === '') call.id = textOf(fragment['id']);
    call.name += textOf(named['name']);
    call.text += textOf(named['arguments']);
  }
};

const textParts = (said: Json): readonly Json[] => {
  const thought = textOf(said['reasoning_content']) || textOf(said['reasoning']);
  const text = textOf(said['content']) + textOf(said['refusal']);
  const parts: Json[] = [];
  if (thought !== '') parts.push({ text: thought, thought: true });
  if (text !== '') parts.push({ text });
  return parts;
};

/** Most pieces of a stream are a text: to write that alone takes V8 a fifth of what all of the piece does. */
const jsonOf = (parts: readonly Json[]): string => {
  const [only] = parts;
  return parts.length === 1 && only !== undefined && only['thought'] === undefined
    ? `[{"text":${JSON.stringify(only['text'])}}]`
    : JSON.stringify(parts);
};

/**
 * An answer of OpenAI's chat completions, whole or in chunks, in Gemini's form. Texts and thoughts are passed on as they come. Calls are whole
 * in Gemini's form, so they are kept until the end, where the reason for it and the usage are told with them.
 */
export class Generated {
  readonly #identity: GenerationIdentity;
  readonly #calls = new Map<number, Call>();
  #finish: unknown = null;
  /** The JSON of a piece of a stream around its parts; `null` before there is one. */
  #around: readonly [string, string] | null = null;

  constructor(identity: GenerationIdentity) {
    this.#identity = identity;
  }

  /** The JSON of what a chunk says at once; `null`: nothing yet. */
  push(chunk: unknown): string | null {
    const parts = this.#partsOf(chunk);
    if (parts.length === 0) return null;
    const [before, behind] = (this.#around ??= this.#aroundParts());
    return before + jsonOf(parts) + behind;
  }

  #aroundParts(): readonly [string, string] {
    const empty = JSON.stringify(this.#response([], null));
    const at = empty.indexOf('[]');
    return [empty.slice(0, at), empty.slice(at + 2)];
  }

  #partsOf(chunk: unknown): readonly Json[] {
    const choice = choiceOf(chunk);
    if (choice === null) return [];
    const said = isRecord(choice['delta']) ? choice['delta'] : isRecord(choice['message']) ? choice['message'] : {};
    addCalls(said, this.#calls);
    if (typeof choice['finish_reason'] === 'string' && choice['finish_reason'] !== '') this.#finish = choice['finish_reason'];
    return textParts(said);
  }

  /** The calls, why it ended, and what it took. */
  end(usage: Json): Json {
    return this.#last(this.#callParts(), usage);
  }

  /** A whole answer in one. */
  whole(completion: unknown, usage: Json): Json {
    const texts = this.#partsOf(completion);
    return this.#last([...texts, ...this.#callParts()], usage);
  }

  #callParts(): readonly Json[] {
    const parts: Json[] = [];
    for (const call of this.#calls.values()) if (call.name !== '') parts.push(callPart(call));
    return parts;
  }

  #last(parts: readonly Json[], usage: Json): Json {
    return this.#response(parts.length === 0 ? [{ text: '' }] : parts, {
      finishReason: finishReasonOf(this.#finish),
      usageMetadata: usage,
    });
  }

  /** `last`: what only the last response says; `null` for those before it. */
  #response(parts: readonly Json[], last: { readonly finishReason: string; readonly usageMetadata: Json } | null): Json {
    const { model: modelVersion, responseId } = this.#identity;
    const content = { role: 'model', parts };
    if (last === null) return { candidates: [{ content, index: 0 }], modelVersion, responseId };
    const { finishReason, usageMetadata } = last;
    return { candidates: [{ content, finishReason, index: 0 }], usageMetadata, modelVersion, responseId };
  }
}
