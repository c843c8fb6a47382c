import { isRecord, textOf } from '../loose-json.ts';
import type { MessageIdentity } from './message.ts';
import { reasoningDetailsOf, type ReasoningDetail } from '../chat/reasoning-details.ts';
import { CLAUDE_REASONING } from './claude-reasoning.ts';
import { stopReasonOf } from './stop-reason.ts';
import { NO_USAGE, type MessagesUsage } from './usage.ts';

/** One event of a stream in Anthropic's form; its `type` is also the name of the event. */
export type MessageEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

type BlockType = 'thinking' | 'redacted_thinking' | 'text' | 'tool_use';

/** A call of a tool while it is being written. */
interface Call {
  id: string;
  name: string;
  /** Arguments that have come and not been passed on. */
  pending: string;
  isWaiting: boolean;
}

/** A second choice has no place in Anthropic's format, and is never asked for. */
const firstOf = (choices: unknown): Readonly<Record<string, unknown>> | null => {
  if (Array.isArray(choices))
    for (const choice of choices as readonly unknown[]) if (isRecord(choice) && (choice['index'] ?? 0) === 0) return choice;
  return null;
};

/**
 * Chunks of OpenAI's chat completions as events of Anthropic's Messages.
 *
 * Blocks of Anthropic's follow each other and never interleave, while chunks of OpenAI's may come back to any call at any time. So once a
 * call of a tool is open it stays open to the end, and whatever else comes is kept until then: nothing is lost, whatever the
 * order, and an answer of texts and one call, which nearly all are, is passed on as it comes. How the answer ended is kept too, since its
 * usage is told together with it.
 *
 * | open block | a thought   | a text      | a piece of the open call | a piece of another call |
 * |------------|-------------|-------------|--------------------------|-------------------------|
 * | none       | open, delta | open, delta | –                        | open, delta             |
 * | thinking   | delta       | close, open | –                        | close, open             |
 * | text       | close, open | delta       | –                        | close, open             |
 * | tool_use   | keep        | keep        | delta                    | keep                    |
 */
export class MessageStream {
  readonly #identity: MessageIdentity;
  readonly #calls = new Map<number, Call>();
  #began = false;
  #open: BlockType | null = null;
  /** The call whose block is open. */
  #calling: Call | null = null;
  /** What was said after a call was opened. */
  readonly #kept: { readonly type: 'thinking' | 'text'; text: string }[] = [];
  #blocks = 0;
  #finish: unknown = null;

  constructor(identity: MessageIdentity) {
    this.#identity = identity;
  }

  /** The events that a chunk comes to; none for what says nothing. */
  push(chunk: unknown): readonly MessageEvent[] {
    const events: MessageEvent[] = [];
    if (!isRecord(chunk)) return events;
    this.#begin(events);
    const choice = firstOf(chunk['choices']);
    if (choice === null) return events;
    const delta = isRecord(choice['delta']) ? choice['delta'] : isRecord(choice['message']) ? choice['message'] : {};
    this.#say('thinking', textOf(delta['reasoning_content']) || textOf(delta['reasoning']), events);
    if (delta['reasoning_details'] !== undefined)
      for (const detail of reasoningDetailsOf(delta['reasoning_details'])) this.#sign(detail, events);
    this.#say('text', textOf(delta['content']) + textOf(delta['refusal']), events);
    if (Array.isArray(delta['tool_calls']))
      for (const call of delta['tool_calls'] as readonly unknown[]) if (isRecord(call)) this.#call(call, events);
    if (typeof choice['finish_reason'] === 'string' && choice['finish_reason'] !== '') this.#finish = choice['finish_reason'];
    return events;
  }

  /** The last events: what was kept, why it ended, and what it took. */
  end(usage: MessagesUsage): readonly MessageEvent[] {
    const events: MessageEvent[] = [];
    this.#begin(events);
    this.#close(events);
    for (const call of this.#calls.values()) {
      if (!call.isWaiting) continue;
      this.#openCall(call, events);
      this.#close(events);
    }
    for (const { type, text } of this.#kept) this.#say(type, text, events);
    this.#close(events);
    events.push(
      { type: 'message_delta', delta: { stop_reason: stopReasonOf(this.#finish, this.#calls.size > 0), stop_sequence: null }, usage },
      { type: 'message_stop' },
    );
    return events;
  }

  #begin(events: MessageEvent[]): void {
    if (this.#began) return;
    this.#began = true;
    const { id, model } = this.#identity;
    events.push({
      type: 'message_start',
      message: { id, type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null, usage: NO_USAGE },
    });
  }

  #say(type: 'thinking' | 'text', text: string, events: MessageEvent[]): void {
    if (text === '') return;
    if (this.#calling !== null) {
      const last = this.#kept.at(-1);
      if (last?.type === type) last.text += text;
      else this.#kept.push({ type, text });
      return;
    }
    if (this.#open !== type) {
      this.#close(events);
      this.#openBlock(type, type === 'text' ? { type, text: '' } : { type, thinking: '', signature: '' }, events);
    }
    this.#delta(type === 'text' ? { type: 'text_delta', text } : { type: 'thinking_delta', thinking: text }, events);
  }

  /**
   * What has to come back with a thought ends its block. Its text has come already, piece by piece. One that follows a call is lost: the
   * call's block is open to the end, and no block can be signed later.
   */
  #sign(detail: ReasoningDetail, events: MessageEvent[]): void {
    if (detail.format !== CLAUDE_REASONING || this.#calling !== null) return;
    if (detail.kind === 'encrypted') {
      this.#close(events);
      this.#openBlock('redacted_thinking', { type: 'redacted_thinking', data: detail.data }, events);
    } else {
      if (this.#open !== 'thinking') {
        this.#close(events);
        this.#openBlock('thinking', { type: 'thinking', thinking: '', signature: '' }, events);
      }
      this.#delta({ type: 'signature_delta', signature: detail.signature }, events);
    }
    this.#close(events);
  }

  #call(fragment: Readonly<Record<string, unknown>>, events: MessageEvent[]): void {
    const index = typeof fragment['index'] === 'number' ? fragment['index'] : this.#calls.size;
    const named = isRecord(fragment['function']) ? fragment['function'] : {};
    let call = this.#calls.get(index);
    if (call === undefined) {
      call = { id: '', name: '', pending: '', isWaiting: true };
      this.#calls.set(index, call);
    }
    if (call.id === '') call.id = textOf(fragment['id']);
    if (call.isWaiting) call.name += textOf(named['name']);
    const text = textOf(named['arguments']);
    if (call === this.#calling) return text === '' ? undefined : this.#delta({ type: 'input_json_delta', partial_json: text }, events);
    call.pending += text;
    // A block cannot begin without its name, nor while another call is being written.
    if (call.name !== '' && this.#calling === null) {
      this.#close(events);
      this.#openCall(call, events);
    }
  }

  #openCall(call: Call, events: MessageEvent[]): void {
    call.isWaiting = false;
    this.#calling = call;
    const id = call.id === '' ? `toolu_${this.#blocks}` : call.id;
    this.#openBlock('tool_use', { type: 'tool_use', id, name: call.name, input: {} }, events);
    if (call.pending !== '') this.#delta({ type: 'input_json_delta', partial_json: call.pending }, events);
    call.pending = '';
  }

  #openBlock(type: BlockType, block: Readonly<Record<string, unknown>>, events: MessageEvent[]): void {
    this.#open = type;
    events.push({ type: 'content_block_start', index: this.#blocks, content_block: block });
  }

  #delta(delta: Readonly<Record<string, unknown>>, events: MessageEvent[]): void {
    events.push({ type: 'content_block_delta', index: this.#blocks, delta });
  }

  #close(events: MessageEvent[]): void {
    if (this.#open === null) return;
    events.push({ type: 'content_block_stop', index: this.#blocks });
    this.#blocks++;
    this.#open = null;
    this.#calling = null;
  }
}
