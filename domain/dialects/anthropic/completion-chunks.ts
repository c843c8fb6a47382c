import { Chunks } from '../chat/chunks.ts';
import { reasoningDetail, type ReasoningDetail } from '../chat/reasoning-details.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { refusalOf, urlCitation } from './completion.ts';
import { finishReasonOf } from './finish-reason.ts';
import { CLAUDE_REASONING } from './claude-reasoning.ts';
import { chatUsage, mergedUsage } from './reported-usage.ts';
import { saidError } from './said-error.ts';

type Json = Readonly<Record<string, unknown>>;

/** The block that is being written. */
type Open =
  | { readonly type: 'other' }
  | { readonly type: 'text'; readonly start: number }
  | { readonly type: 'thinking'; text: string; signature: string }
  | { readonly type: 'tool_use'; readonly index: number; empty: boolean; readonly input: unknown };

const OTHER: Open = { type: 'other' };

/**
 * Events of Anthropic's Messages as chunks of OpenAI's chat completions.
 *
 * | event                 | comes to                                                                                     |
 * |-----------------------|----------------------------------------------------------------------------------------------|
 * | `message_start`       | the chunk with the role; its usage is kept                                                   |
 * | `content_block_start` | of a call: its id and name; of anything else: nothing, or the text that it begins with       |
 * | `content_block_delta` | a piece of text, of a thought or of arguments; a signature is kept                           |
 * | `content_block_stop`  | of a thought: what to send back with it; of a call without arguments: empty ones             |
 * | `message_delta`       | the chunk with the reason for the end; its usage is kept, replacing what came before         |
 * | `message_stop`        | the usage, and the end                                                                       |
 * | `ping`                | a sign of life                                                                               |
 * | `error`               | the error, in OpenAI's form                                                                  |
 * | any other             | nothing                                                                                      |
 */
export class CompletionChunks implements Teller {
  readonly #chunks: Chunks;
  #open: Open = OTHER;
  #calls = 0;
  #details = 0;
  #textLength = 0;
  #usage: Json = {};
  #isFinished = false;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(created: number) {
    this.#chunks = new Chunks('', created, '');
  }

  push(event: unknown): readonly Told[] {
    if (!isRecord(event) || this.#isOver) return [];
    switch (event['type']) {
      case 'message_start':
        return this.#start(isRecord(event['message']) ? event['message'] : {});
      case 'content_block_start':
        return this.#openBlock(isRecord(event['content_block']) ? event['content_block'] : {});
      case 'content_block_delta':
        return this.#delta(isRecord(event['delta']) ? event['delta'] : {});
      case 'content_block_stop':
        return this.#closeBlock();
      case 'message_delta':
        return this.#finish(event);
      case 'message_stop':
        this.#isOver = true;
        return this.#isFinished ? [this.#chunks.usage(this.usageSoFar()), 'done'] : ['done'];
      case 'ping':
        return ['alive'];
      case 'error':
        return [{ chunk: saidError(event) }];
      default:
        return [];
    }
  }

  /** What is left to say of a stream whose bytes have ended: its usage, where it has said why it ended and not that it did. */
  end(): readonly Told[] {
    const isCut = this.#isOver || !this.#isFinished;
    this.#isOver = true;
    return isCut ? [] : [this.#chunks.usage(this.usageSoFar())];
  }

  usageSoFar(): Json {
    return chatUsage(this.#usage);
  }

  #start(message: Json): readonly Told[] {
    this.#chunks.id = `chatcmpl-${textOf(message['id'])}`;
    this.#chunks.model = textOf(message['model']);
    this.#usage = mergedUsage({}, message['usage']);
    return [this.#chunks.delta({ role: 'assistant', content: '' })];
  }

  #openBlock(block: Json): readonly Told[] {
    switch (block['type']) {
      case 'text': {
        this.#open = { type: 'text', start: this.#textLength };
        return this.#text(textOf(block['text']));
      }
      case 'thinking': {
        const text = textOf(block['thinking']);
        this.#open = { type: 'thinking', text, signature: textOf(block['signature']) };
        return text === '' ? [] : [this.#chunks.delta({ reasoning_content: text })];
      }
      case 'redacted_thinking':
        this.#open = OTHER;
        return [this.#detail({ kind: 'encrypted', data: textOf(block['data']), format: CLAUDE_REASONING })];
      case 'tool_use': {
        const index = this.#calls++;
        this.#open = { type: 'tool_use', index, empty: true, input: block['input'] };
        const call = { index, id: textOf(block['id']), type: 'function', function: { name: textOf(block['name']), arguments: '' } };
        return [this.#chunks.delta({ tool_calls: [call] })];
      }
      default:
        this.#open = OTHER;
        return [];
    }
  }

  #delta(delta: Json): readonly Told[] {
    const open = this.#open;
    switch (delta['type']) {
      case 'text_delta':
        return this.#text(textOf(delta['text']));
      case 'thinking_delta': {
        const text = textOf(delta['thinking']);
        if (open.type === 'thinking') open.text += text;
        return text === '' ? [] : [this.#chunks.delta({ reasoning_content: text })];
      }
      case 'signature_delta':
        if (open.type === 'thinking') open.signature += textOf(delta['signature']);
        return ['alive'];
      case 'input_json_delta': {
        const text = textOf(delta['partial_json']);
        if (open.type !== 'tool_use' || text === '') return ['alive'];
        open.empty = false;
        return [this.#arguments(open.index, text)];
      }
      case 'citations_delta': {
        const start = open.type === 'text' ? open.start : this.#textLength;
        const said = urlCitation(delta['citation'], start, this.#textLength);
        return said === null ? ['alive'] : [this.#chunks.delta({ annotations: [said] })];
      }
      default:
        return ['alive'];
    }
  }

  #closeBlock(): readonly Told[] {
    const open = this.#open;
    this.#open = OTHER;
    if (open.type === 'thinking' && open.signature !== '')
      return [this.#detail({ kind: 'text', text: open.text, signature: open.signature, format: CLAUDE_REASONING })];
    // Arguments that did not come in pieces stand where the block begins.
    if (open.type === 'tool_use' && open.empty) return [this.#arguments(open.index, JSON.stringify(open.input ?? {}))];
    return [];
  }

  #finish(event: Json): readonly Told[] {
    const delta = isRecord(event['delta']) ? event['delta'] : {};
    this.#usage = mergedUsage(this.#usage, event['usage']);
    this.#isFinished = true;
    const refusal = refusalOf(delta);
    const last = this.#chunks.delta({}, finishReasonOf(delta['stop_reason']));
    return refusal === null ? [last] : [this.#chunks.delta({ refusal }), last];
  }

  #text(text: string): readonly Told[] {
    this.#textLength += text.length;
    return text === '' ? [] : [this.#chunks.delta({ content: text })];
  }

  #arguments(index: number, text: string): Told {
    return this.#chunks.delta({ tool_calls: [{ index, function: { arguments: text } }] });
  }

  #detail(detail: ReasoningDetail): Told {
    return this.#chunks.delta({ reasoning_details: [reasoningDetail(detail, this.#details++)] });
  }
}
