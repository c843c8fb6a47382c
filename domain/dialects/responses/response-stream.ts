import type { ResponsesRequest } from '../../../schemas/responses/responses-request.ts';
import { reasoningDetailsOf, type ReasoningDetail } from '../chat/reasoning-details.ts';
import { callArguments } from '../call-arguments.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { sealOf } from './sealed-thoughts.ts';
import { responseOf, type ResponseIdentity, type ResponseState } from './response.ts';
import type { ResponseUsage } from './usage.ts';

type Json = Readonly<Record<string, unknown>>;

/** One event of a stream of the Responses API; its `type` is also the name of the event. */
export type ResponseEvent = { readonly type: string; readonly sequence_number: number } & Json;

/** A part of a message. */
type Part =
  | { readonly type: 'output_text'; text: string; readonly annotations: unknown[]; readonly logprobs: unknown[] }
  | { readonly type: 'refusal'; refusal: string };

type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

interface MessageItem {
  readonly kind: 'message';
  readonly at: number;
  readonly id: string;
  readonly parts: Part[];
}
interface ReasoningItem {
  readonly kind: 'reasoning';
  readonly at: number;
  readonly id: string;
  text: string;
  /** What its provider wants back with it. */
  readonly details: ReasoningDetail[];
}
interface CallItem {
  readonly kind: 'call';
  readonly at: number;
  readonly id: string;
  readonly callId: string;
  readonly name: string;
  readonly isCustom: boolean;
  text: string;
}
type Item = MessageItem | ReasoningItem | CallItem;

/** A call of a tool before its name is known, and the item that it then is. */
interface Call {
  callId: string;
  name: string;
  /** Arguments that came ahead of the name. */
  pending: string;
  item: CallItem | null;
}

/** How an answer ended that did not end well. */
export interface ResponseFault {
  readonly code: string;
  readonly message: string;
}

/** The input of a tool that takes any text, out of the JSON that it was asked for in. */
const customInput = (text: string): string => {
  const { input, _raw: raw } = callArguments(text);
  if (typeof input === 'string') return input;
  return typeof raw === 'string' ? raw : text;
};

const newThought = (at: number, idBody: string): ReasoningItem => ({ kind: 'reasoning', at, id: `rs_${idBody}`, text: '', details: [] });

/** OpenAI's two forms of what a text refers to differ by a level. */
const annotationOf = (annotation: unknown): unknown => {
  if (!isRecord(annotation)) return annotation;
  const { type } = annotation;
  const inner = typeof type === 'string' ? annotation[type] : undefined;
  return isRecord(inner) ? { type, ...inner } : annotation;
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const textsIn = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : listOf(content)
        .map((part) => (isRecord(part) ? textOf(part['text']) : ''))
        .join('');

/**
 * Chunks of chat completions as events of the Responses API. Every event has the next number, and the response that the last one carries
 * is what the others add up to.
 *
 * Thoughts and texts follow each other: each ends when something else begins. Calls stay open until the end of the answer, since chunks
 * may come back to any of them at any time; items of the Responses API have places of their own, so nothing has to be kept back for that.
 * What takes any text and not JSON is told whole when it ends: its JSON can be read only then.
 *
 * | open      | a thought   | a text      | a refusal          | a piece of a call                 | the end |
 * |-----------|-------------|-------------|--------------------|-----------------------------------|---------|
 * | nothing   | open, delta | open, delta | open, delta        | open (once it has a name), delta  | –       |
 * | reasoning | delta       | close, open | close, open        | close, open                       | close   |
 * | message   | close, open | delta       | next part, delta   | close, open                       | close   |
 * | calls     | open, delta | open, delta | open, delta        | delta                             | close   |
 */
export class ResponseStream {
  readonly #request: ResponsesRequest;
  readonly #identity: ResponseIdentity;
  readonly #customNames: ReadonlySet<string>;
  readonly #calls = new Map<number, Call>();
  readonly #items: Item[] = [];
  readonly #done: (Json | undefined)[] = [];
  #open: MessageItem | ReasoningItem | null = null;
  /** Of thoughts that nobody was told. */
  readonly #late: ReasoningDetail[] = [];
  #sequence = 0;
  #began = false;
  #finish: unknown = null;
  #events: ResponseEvent[] = [];
  #isStored: boolean;

  /** `isStored`: what events before the last say of it. */
  constructor(request: ResponsesRequest, identity: ResponseIdentity, isStored: boolean) {
    this.#request = request;
    this.#identity = identity;
    this.#isStored = isStored;
    this.#customNames = new Set(
      (request.tools ?? []).flatMap(({ type, name }) => (type === 'custom' && typeof name === 'string' ? [name] : [])),
    );
  }

  /** What it begins with, ahead of whatever the upstream says. */
  begin(): readonly ResponseEvent[] {
    this.#begin();
    return this.#taken();
  }

  /** The events that a chunk comes to; none for what says nothing. */
  push(chunk: unknown): readonly ResponseEvent[] {
    if (!isRecord(chunk)) return [];
    this.#begin();
    // A second choice has no place in this format, and is never asked for.
    const choice = listOf(chunk['choices']).find((candidate) => isRecord(candidate) && (candidate['index'] ?? 0) === 0);
    if (!isRecord(choice)) return this.#taken();
    const delta = isRecord(choice['delta']) ? choice['delta'] : isRecord(choice['message']) ? choice['message'] : {};
    this.#think(textOf(delta['reasoning_content']) || textOf(delta['reasoning']));
    const details = reasoningDetailsOf(delta['reasoning_details']);
    (this.#open?.kind === 'reasoning' ? this.#open.details : this.#late).push(...details);
    const logprobs = isRecord(choice['logprobs']) ? listOf(choice['logprobs']['content']) : [];
    this.#say(textsIn(delta['content']), logprobs);
    for (const annotation of listOf(delta['annotations'])) this.#annotate(annotationOf(annotation));
    this.#refuse(textOf(delta['refusal']));
    for (const [at, call] of listOf(delta['tool_calls']).entries()) if (isRecord(call)) this.#call(call, at);
    if (typeof choice['finish_reason'] === 'string' && choice['finish_reason'] !== '') this.#finish = choice['finish_reason'];
    return this.#taken();
  }

  /** Closes what is open, and tells what the answer came to; {@link last} says so to the client. */
  end(usage: ResponseUsage, completedAt: number): { readonly events: readonly ResponseEvent[]; readonly state: ResponseState } {
    this.#begin();
    const incomplete = this.#finish === 'length' ? 'max_output_tokens' : this.#finish === 'content_filter' ? 'content_filter' : null;
    this.#closeAll(incomplete === null ? 'completed' : 'incomplete');
    const status = incomplete === null ? 'completed' : 'incomplete';
    return { events: this.#taken(), state: { status, output: this.#output(), usage, error: null, incomplete, completedAt } };
  }

  /** Ends an answer that broke off: what it had come to stays as it is. `spoken`: how many events another has sent in its name. */
  fail(
    fault: ResponseFault,
    completedAt: number,
    spoken = 0,
  ): { readonly events: readonly ResponseEvent[]; readonly state: ResponseState } {
    if (spoken > 0) {
      this.#began = true;
      this.#sequence = spoken;
    }
    this.#begin();
    this.#closeAll('incomplete');
    this.#emit('error', { code: fault.code, message: fault.message, param: null });
    const error = { code: 'server_error', message: fault.message };
    return {
      events: this.#taken(),
      state: { status: 'failed', output: this.#output(), usage: null, error, incomplete: null, completedAt },
    };
  }

  /** The last event; `isStored` as it turned out. */
  last(state: ResponseState, isStored: boolean): ResponseEvent {
    this.#isStored = isStored;
    this.#emit(`response.${state.status}`, { response: this.#response(state) });
    return this.#taken()[0] as ResponseEvent;
  }

  #response(state: ResponseState): Json {
    return responseOf(this.#request, this.#identity, state, this.#isStored);
  }

  #taken(): readonly ResponseEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #emit(type: string, more: Json): void {
    this.#events.push({ type, sequence_number: this.#sequence++, ...more });
  }

  #begin(): void {
    if (this.#began) return;
    this.#began = true;
    const response = this.#response({ status: 'in_progress', output: [], usage: null, error: null, incomplete: null, completedAt: null });
    this.#emit('response.created', { response });
    this.#emit('response.in_progress', { response });
  }

  #think(text: string): void {
    if (text === '') return;
    let item = this.#open;
    if (item?.kind !== 'reasoning') {
      this.#close('completed');
      item = this.#add(newThought);
      this.#open = item;
      this.#emit('response.reasoning_summary_part.added', {
        ...this.#placeOf(item),
        summary_index: 0,
        part: { type: 'summary_text', text: '' },
      });
    }
    item.text += text;
    this.#emit('response.reasoning_summary_text.delta', { ...this.#placeOf(item), summary_index: 0, delta: text });
  }

  #message(): MessageItem {
    if (this.#open?.kind === 'message') return this.#open;
    this.#close('completed');
    const item = this.#add((at, idBody): MessageItem => ({ kind: 'message', at, id: `msg_${idBody}`, parts: [] }));
    this.#open = item;
    return item;
  }

  #part<T extends Part['type']>(item: MessageItem, type: T, empty: () => Extract<Part, { type: T }>): Extract<Part, { type: T }> {
    const last = item.parts.at(-1);
    if (last?.type === type) return last as Extract<Part, { type: T }>;
    this.#closePart(item);
    const part = empty();
    item.parts.push(part);
    this.#emit('response.content_part.added', {
      ...this.#partPlace(item),
      part: { ...part, ...(part.type === 'output_text' ? { annotations: [], logprobs: [] } : {}) },
    });
    return part;
  }

  #say(text: string, logprobs: readonly unknown[]): void {
    if (text === '') return;
    const item = this.#message();
    const part = this.#part(item, 'output_text', () => ({ type: 'output_text', text: '', annotations: [], logprobs: [] }));
    part.text += text;
    part.logprobs.push(...logprobs);
    this.#emit('response.output_text.delta', { ...this.#partPlace(item), delta: text, logprobs });
  }

  /** A reference without a text that refers has nothing to stand beside. */
  #annotate(annotation: unknown): void {
    if (this.#open?.kind !== 'message') return;
    const item = this.#open;
    const part = item.parts.at(-1);
    if (part?.type !== 'output_text') return;
    this.#emit('response.output_text.annotation.added', {
      ...this.#partPlace(item),
      annotation_index: part.annotations.length,
      annotation,
    });
    part.annotations.push(annotation);
  }

  #refuse(text: string): void {
    if (text === '') return;
    const item = this.#message();
    const part = this.#part(item, 'refusal', () => ({ type: 'refusal', refusal: '' }));
    part.refusal += text;
    this.#emit('response.refusal.delta', { ...this.#partPlace(item), delta: text });
  }

  #call(fragment: Json, position: number): void {
    const index = typeof fragment['index'] === 'number' ? fragment['index'] : position;
    const named = isRecord(fragment['function']) ? fragment['function'] : {};
    let call = this.#calls.get(index);
    if (call === undefined) {
      call = { callId: '', name: '', pending: '', item: null };
      this.#calls.set(index, call);
    }
    if (call.callId === '') call.callId = textOf(fragment['id']);
    const text = textOf(named['arguments']);
    if (call.item !== null) return this.#argue(call.item, text);
    call.name += textOf(named['name']);
    call.pending += text;
    // An item cannot begin without its name.
    if (call.name !== '') this.#openCall(call);
  }

  #openCall(call: Call): void {
    this.#close('completed');
    const isCustom = this.#customNames.has(call.name);
    const { callId, name } = call;
    call.item = this.#add((at, idBody) => ({
      kind: 'call',
      at,
      id: `${isCustom ? 'ctc' : 'fc'}_${idBody}`,
      callId: callId === '' ? `call_${idBody}` : callId,
      name,
      isCustom,
      text: '',
    }));
    this.#argue(call.item, call.pending);
    call.pending = '';
  }

  #argue(item: CallItem, text: string): void {
    if (text === '') return;
    item.text += text;
    if (!item.isCustom) this.#emit('response.function_call_arguments.delta', { ...this.#placeOf(item), delta: text });
  }

  #add<I extends Item>(make: (at: number, idBody: string) => I): I {
    const at = this.#items.length;
    const item = make(at, `${this.#identity.idBody}-${at}`);
    this.#items.push(item);
    this.#emit('response.output_item.added', { output_index: at, item: this.#said(item, 'in_progress', true) });
    return item;
  }

  #placeOf({ id, at }: Item): Json {
    return { item_id: id, output_index: at };
  }

  #partPlace(item: MessageItem): Json {
    return { ...this.#placeOf(item), content_index: item.parts.length - 1 };
  }

  /** An item as it stands. */
  #said(item: Item, status: ItemStatus, isNew = false): Json {
    switch (item.kind) {
      case 'message':
        return { id: item.id, type: 'message', status, role: 'assistant', content: isNew ? [] : item.parts.map((part) => ({ ...part })) };
      case 'reasoning':
        return {
          id: item.id,
          type: 'reasoning',
          summary: isNew || item.text === '' ? [] : [{ type: 'summary_text', text: item.text }],
          ...(isNew || item.details.length === 0 ? {} : { encrypted_content: sealOf(item.details) }),
        };
      case 'call':
        return item.isCustom
          ? {
              id: item.id,
              type: 'custom_tool_call',
              status,
              call_id: item.callId,
              name: item.name,
              input: isNew ? '' : customInput(item.text),
            }
          : { id: item.id, type: 'function_call', status, call_id: item.callId, name: item.name, arguments: item.text };
    }
  }

  #closePart(item: MessageItem): void {
    const part = item.parts.at(-1);
    if (part === undefined) return;
    const place = this.#partPlace(item);
    if (part.type === 'output_text') this.#emit('response.output_text.done', { ...place, text: part.text, logprobs: [...part.logprobs] });
    else this.#emit('response.refusal.done', { ...place, refusal: part.refusal });
    this.#emit('response.content_part.done', { ...place, part: { ...part } });
  }

  #finishItem(item: Item, status: ItemStatus): void {
    const place = this.#placeOf(item);
    switch (item.kind) {
      case 'message':
        this.#closePart(item);
        break;
      case 'reasoning':
        if (item.text === '') break;
        this.#emit('response.reasoning_summary_text.done', { ...place, summary_index: 0, text: item.text });
        this.#emit('response.reasoning_summary_part.done', { ...place, summary_index: 0, part: { type: 'summary_text', text: item.text } });
        break;
      case 'call': {
        if (!item.isCustom) {
          this.#emit('response.function_call_arguments.done', { ...place, name: item.name, arguments: item.text });
          break;
        }
        const input = customInput(item.text);
        if (input !== '') this.#emit('response.custom_tool_call_input.delta', { ...place, delta: input });
        this.#emit('response.custom_tool_call_input.done', { ...place, input });
      }
    }
    const said = this.#said(item, status);
    this.#done[item.at] = said;
    this.#emit('response.output_item.done', { output_index: item.at, item: said });
  }

  /** Ends the open thought or text. */
  #close(status: ItemStatus): void {
    const item = this.#open;
    this.#open = null;
    if (item !== null) this.#finishItem(item, status);
  }

  #closeAll(status: ItemStatus): void {
    this.#close(status);
    if (this.#late.length > 0) {
      const item = this.#add(newThought);
      item.details.push(...this.#late.splice(0));
      this.#finishItem(item, status);
    }
    for (const call of this.#calls.values()) {
      if (call.item === null) this.#openCall(call);
      if (call.item !== null) this.#finishItem(call.item, status);
    }
  }

  #output(): readonly Json[] {
    return this.#done.filter((item) => item !== undefined);
  }
}

/** A whole answer of chat completions as one of the Responses API. */
export const wholeResponse = (
  completion: unknown,
  request: ResponsesRequest,
  identity: ResponseIdentity,
  usage: ResponseUsage,
  completedAt: number,
): ResponseState => {
  const stream = new ResponseStream(request, identity, false);
  stream.push(completion);
  return stream.end(usage, completedAt).state;
};
