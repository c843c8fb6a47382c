import { refuse, type Refusal } from '../../../schemas/errors.ts';
import {
  INPUT_ITEMS,
  INPUT_PARTS,
  type Content,
  type InputItem,
  type InputPart,
  type MessageItem,
} from '../../../schemas/responses/input-items.ts';
import { reasoningDetail, type ReasoningDetail } from '../chat/reasoning-details.ts';
import { detailsIn } from './sealed-thoughts.ts';
import { isRecord, textOf } from '../loose-json.ts';
import type { Unsayables } from './unsayable.ts';

type Json = Readonly<Record<string, unknown>>;

/** What OpenAI's own tools did in earlier turns; its outcome is in the text that followed. */
const DROPPED: ReadonlySet<string> = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_list_tools',
  'mcp_call',
  'mcp_approval_request',
  'mcp_approval_response',
]);

const issueAt = (
  place: string,
  error: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] },
): Refusal => {
  const issue = error.issues[0];
  const param = [place, ...(issue?.path ?? []).map(String)].join('.');
  return refuse('invalid_request', `${param}: ${issue?.message ?? 'not valid'}.`, { param });
};

/** An item as its type's schema has it; `null`: of a type that is none of these. */
const itemOf = (value: unknown, place: string): InputItem | Refusal | null => {
  const type = isRecord(value) ? (value['type'] ?? 'message') : null;
  if (typeof type !== 'string') return refuse('invalid_request', `${place}: an item is an object with a type.`, { param: place });
  if (!Object.hasOwn(INPUT_ITEMS, type)) return null;
  const read = INPUT_ITEMS[type as keyof typeof INPUT_ITEMS].safeParse(
    isRecord(value) && value['type'] === null ? { ...value, type } : value,
  );
  return read.success ? ({ ...read.data, type } as InputItem) : issueAt(place, read.error);
};

const partOf = (value: { readonly type: string }, place: string): InputPart | Refusal | null => {
  if (!Object.hasOwn(INPUT_PARTS, value.type)) return null;
  const read = INPUT_PARTS[value.type as keyof typeof INPUT_PARTS].safeParse(value);
  return read.success ? read.data : issueAt(place, read.error);
};

const partsOf = (content: Content, place: string, unsayables: Unsayables): readonly InputPart[] | Refusal => {
  if (typeof content === 'string') return [{ type: 'input_text', text: content }];
  const parts: InputPart[] = [];
  for (const [index, value] of content.entries()) {
    const at = `${place}.${index}`;
    const part = partOf(value, at);
    if (part !== null && 'refused' in part) return part as Refusal;
    if (part === null) unsayables.add(`a part of type ${value.type} cannot be said to an upstream of another format.`, at);
    else parts.push(part);
  }
  return parts;
};

/** A part of a user's message in the form of chat completions; `null`: nothing that can be said. */
const saidPart = (part: InputPart, place: string, unsayables: Unsayables): Json | null => {
  switch (part.type) {
    case 'input_image': {
      const url = textOf(part.image_url);
      if (url === '') {
        unsayables.add('an uploaded image can be read by its own provider only; send the image itself.', place);
        return null;
      }
      const detail = part.detail === 'original' ? 'high' : textOf(part.detail);
      return { type: 'image_url', image_url: { url, ...(detail === '' ? {} : { detail }) } };
    }
    case 'input_file': {
      const data = textOf(part.file_data);
      const id = textOf(part.file_id);
      if (data === '' && id === '') {
        unsayables.add('a file by its URL can be read by its own provider only; send the file itself.', place);
        return null;
      }
      const name = textOf(part.filename);
      return { type: 'file', file: data === '' ? { file_id: id } : { filename: name === '' ? 'document.pdf' : name, file_data: data } };
    }
    case 'input_audio':
      return { type: 'input_audio', input_audio: { data: part.input_audio.data, format: part.input_audio.format } };
    case 'refusal':
      return { type: 'text', text: part.refusal };
    default:
      return { type: 'text', text: part.text };
  }
};

/** One text stays a text; anything else is a list of parts. */
const contentOf = (parts: readonly Json[]): unknown => {
  const [only] = parts;
  return parts.length === 1 && only?.['type'] === 'text' ? only['text'] : parts;
};

const textsOf = (parts: readonly InputPart[]): string =>
  parts.map((part) => ('text' in part && typeof part.text === 'string' ? part.text : '')).join('');

const FOLLOWS: { readonly [T in InputPart['type']]?: string } = {
  input_image: '(An image follows in the next message.)',
  input_file: '(A document follows in the next message.)',
  input_audio: '(A recording follows in the next message.)',
};

/** The assistant’s turn while it is put together: what it said and whom it called is one message of chat completions. */
interface Turn {
  texts: string[];
  refusals: string[];
  readonly calls: Json[];
  readonly details: ReasoningDetail[];
}

/** Items of the Responses API as messages of chat completions, in the order that these have to be in. */
export class InputMessages {
  readonly #unsayables: Unsayables;
  readonly #messages: Json[] = [];
  #turn: Turn | null = null;
  /** Images and files among the outcomes of calls: they have no place in a tool’s message and follow all of a turn’s. */
  #following: Json[] = [];

  constructor(unsayables: Unsayables) {
    this.#unsayables = unsayables;
  }

  /** Takes one item; answers why it cannot be taken, where it is not as it should be. */
  add(value: unknown, place: string): Refusal | null {
    const item = itemOf(value, place);
    if (item === null) {
      const type = isRecord(value) ? textOf(value['type']) : '';
      if (!DROPPED.has(type))
        this.#unsayables.add(`an item of type ${type.slice(0, 64)} cannot be said to an upstream of another format.`, place);
      return null;
    }
    if ('refused' in item) return item as Refusal;
    switch (item.type) {
      case 'message':
        return this.#message(item, place);
      case 'function_call':
        this.#call(item.call_id, item.name, item.arguments);
        return null;
      case 'custom_tool_call':
        this.#call(item.call_id, item.name, JSON.stringify({ input: item.input }));
        return null;
      case 'function_call_output':
      case 'custom_tool_call_output':
        return this.#outcome(item.call_id, item.output, `${place}.output`);
      case 'item_reference':
        this.#unsayables.add('there is no such item among what is kept here.', place);
        return null;
      // A thought means nothing to another model than the one that had it, which wants what is sealed.
      case 'reasoning': {
        const details = detailsIn(item['encrypted_content']);
        if (details.length === 0) return null;
        this.#endOutcomes();
        this.#assistant().details.push(...details);
        return null;
      }
    }
  }

  /** Instructions, and what else the operator of a model says. */
  instruct(text: string): void {
    if (text === '') return;
    this.#endTurn();
    this.#endOutcomes();
    this.#messages.push({ role: 'system', content: text });
  }

  end(): readonly Json[] {
    this.#endTurn();
    this.#endOutcomes();
    return this.#messages;
  }

  #message({ role, content }: MessageItem, place: string): Refusal | null {
    const parts = partsOf(content, `${place}.content`, this.#unsayables);
    if ('refused' in parts) return parts;
    if (role === 'assistant') {
      this.#endOutcomes();
      const turn = this.#assistant();
      for (const part of parts) {
        if (part.type === 'refusal') turn.refusals.push(part.refusal);
        else if ('text' in part && typeof part.text === 'string') turn.texts.push(part.text);
        else this.#unsayables.add(`a part of type ${part.type} belongs into a message of the user.`, `${place}.content`);
      }
      return null;
    }
    if (role !== 'user') {
      this.instruct(textsOf(parts));
      return null;
    }
    const said = parts.map((part, index) => saidPart(part, `${place}.content.${index}`, this.#unsayables)).filter((part) => part !== null);
    this.#endTurn();
    // What tools showed and what the user then said is one turn of the user's.
    const all = [...this.#following, ...said];
    this.#following = [];
    if (all.length > 0) this.#messages.push({ role: 'user', content: contentOf(all) });
    return null;
  }

  #call(id: string, name: string, text: string): void {
    this.#endOutcomes();
    this.#assistant().calls.push({ id, type: 'function', function: { name, arguments: text } });
  }

  #outcome(id: string, output: Content, place: string): Refusal | null {
    const parts = partsOf(output, place, this.#unsayables);
    if ('refused' in parts) return parts;
    this.#endTurn();
    const texts: string[] = [];
    for (const [index, part] of parts.entries()) {
      const follows = FOLLOWS[part.type];
      const said = saidPart(part, `${place}.${index}`, this.#unsayables);
      if (said === null) continue;
      texts.push(follows ?? textOf(said['text']));
      if (follows !== undefined) this.#following.push(said);
    }
    this.#messages.push({ role: 'tool', tool_call_id: id, content: texts.join('\n') });
    return null;
  }

  #assistant(): Turn {
    return (this.#turn ??= { texts: [], refusals: [], calls: [], details: [] });
  }

  #endTurn(): void {
    const turn = this.#turn;
    this.#turn = null;
    if (turn === null) return;
    const text = turn.texts.join('');
    const refusal = turn.refusals.join('');
    if (text === '' && refusal === '' && turn.calls.length === 0) return;
    this.#messages.push({
      role: 'assistant',
      content: text === '' ? null : text,
      ...(refusal === '' ? {} : { refusal }),
      ...(turn.calls.length === 0 ? {} : { tool_calls: turn.calls }),
      ...(turn.details.length === 0 ? {} : { reasoning_details: turn.details.map(reasoningDetail) }),
    });
  }

  #endOutcomes(): void {
    if (this.#following.length === 0) return;
    this.#messages.push({ role: 'user', content: this.#following });
    this.#following = [];
  }
}
