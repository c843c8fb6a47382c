import { CLAUDE_REASONING } from '../anthropic/claude-reasoning.ts';
import { Chunks } from '../chat/chunks.ts';
import { reasoningDetail } from '../chat/reasoning-details.ts';
import type { Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { converseFinish, converseUsage } from './said.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Events of Bedrock's ConverseStream as chunks of OpenAI's chat completions.
 *
 * | event               | comes to                                                                          |
 * |---------------------|-----------------------------------------------------------------------------------|
 * | `messageStart`      | the chunk with the role                                                           |
 * | `contentBlockStart` | a call's id and name                                                              |
 * | `contentBlockDelta` | a piece of text, of a thought or of arguments; a signature is kept                |
 * | `contentBlockStop`  | of a thought: what to send back with it; of a call without arguments: empty ones  |
 * | `messageStop`       | the reason for the end                                                            |
 * | `metadata`          | the usage, and the end                                                            |
 * | any other           | nothing                                                                           |
 */
export class ConverseChunks {
  readonly #chunks: Chunks;
  #calls = 0;
  #details = 0;
  #call: { isEmpty: boolean } | null = null;
  #thought = { text: '', signature: '' };
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(id: string, created: number, model: string) {
    this.#chunks = new Chunks(id, created, model);
  }

  push(type: string, event: unknown): readonly Told[] {
    if (!isRecord(event) || this.#isOver) return [];
    switch (type) {
      case 'messageStart':
        return [this.#chunks.delta({ role: 'assistant', content: '' })];
      case 'contentBlockStart': {
        const start = isRecord(event['start']) ? event['start'] : {};
        const used = start['toolUse'];
        if (!isRecord(used)) return ['alive'];
        this.#call = { isEmpty: true };
        const call = { index: this.#calls++, id: used['toolUseId'], type: 'function', function: { name: used['name'], arguments: '' } };
        return [this.#chunks.delta({ tool_calls: [call] })];
      }
      case 'contentBlockDelta':
        return this.#delta(isRecord(event['delta']) ? event['delta'] : {});
      case 'contentBlockStop':
        return this.#stop();
      case 'messageStop':
        return [this.#chunks.delta({}, converseFinish(event['stopReason']))];
      case 'metadata': {
        this.#isOver = true;
        const usage = converseUsage(event['usage']);
        return usage === null ? ['done'] : [this.#chunks.usage(usage), 'done'];
      }
      default:
        return [];
    }
  }

  /** An error in the place of the rest. */
  fail(type: string, message: string): readonly Told[] {
    this.#isOver = true;
    return [{ chunk: { error: { message: message === '' ? type : message, type: 'server_error', param: null, code: type } } }];
  }

  #delta(delta: Json): readonly Told[] {
    const text = textOf(delta['text']);
    if (text !== '') return [this.#chunks.delta({ content: text })];
    if (isRecord(delta['toolUse'])) {
      const given = textOf(delta['toolUse']['input']);
      if (given === '' || this.#call === null) return ['alive'];
      this.#call.isEmpty = false;
      return [this.#chunks.delta({ tool_calls: [{ index: this.#calls - 1, function: { arguments: given } }] })];
    }
    const reasoning = isRecord(delta['reasoningContent']) ? delta['reasoningContent'] : {};
    this.#thought.signature += textOf(reasoning['signature']);
    const thought = textOf(reasoning['text']);
    this.#thought.text += thought;
    if (thought !== '') return [this.#chunks.delta({ reasoning_content: thought })];
    const hidden = textOf(reasoning['redactedContent']);
    if (hidden === '') return ['alive'];
    return [this.#detail({ kind: 'encrypted', data: hidden, format: CLAUDE_REASONING })];
  }

  #stop(): readonly Told[] {
    const told: Told[] = [];
    if (this.#call?.isEmpty === true)
      told.push(this.#chunks.delta({ tool_calls: [{ index: this.#calls - 1, function: { arguments: '{}' } }] }));
    const { text, signature } = this.#thought;
    if (signature !== '') told.push(this.#detail({ kind: 'text', text, signature, format: CLAUDE_REASONING }));
    this.#call = null;
    this.#thought = { text: '', signature: '' };
    return told;
  }

  #detail(detail: Parameters<typeof reasoningDetail>[0]): Told {
    return this.#chunks.delta({ reasoning_details: [reasoningDetail(detail, this.#details++)] });
  }
}
