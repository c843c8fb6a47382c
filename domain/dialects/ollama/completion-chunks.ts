import { Chunks } from '../chat/chunks.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { wordedError } from '../openai/worded-error.ts';
import { callsIn, momentOf, ollamaFinish, ollamaUsage } from './said.ts';

/**
 * Lines of Ollama's chat as chunks of OpenAI's chat completions. Each line is an answer of its own with a piece of the message, calls are whole;
 * the last line says `done`, why, and what it took.
 */
export class OllamaChunks implements Teller {
  readonly #chunks: Chunks;
  #hasBegun = false;
  #calls = 0;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(created: number, model: string) {
    this.#chunks = new Chunks('', created, model);
  }

  push(line: unknown): readonly Told[] {
    if (!isRecord(line) || this.#isOver) return [];
    if (textOf(line['error']) !== '') {
      this.#isOver = true;
      return [{ chunk: wordedError(500, line) }];
    }
    const told: Told[] = [];
    const moment = momentOf(line);
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#chunks.id = `chatcmpl-${moment}`;
      told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
    }
    const message = isRecord(line['message']) ? line['message'] : {};
    const thought = textOf(message['thinking']);
    if (thought !== '') told.push(this.#chunks.delta({ reasoning_content: thought }));
    const text = textOf(message['content']);
    if (text !== '') told.push(this.#chunks.delta({ content: text }));
    for (const { id, name, arguments: given } of callsIn(message, moment, this.#calls)) {
      const call = { index: this.#calls++, id, type: 'function', function: { name, arguments: given } };
      told.push(this.#chunks.delta({ tool_calls: [call] }));
    }
    if (line['done'] !== true) return told.length === 0 ? ['alive'] : told;
    this.#isOver = true;
    told.push(this.#chunks.delta({}, ollamaFinish(line['done_reason'], this.#calls > 0)));
    const usage = ollamaUsage(line);
    if (usage !== null) told.push(this.#chunks.usage(usage));
    return [...told, 'done'];
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }
}
