import { approximateTokens } from '../../../domain/tokens/approximate.ts';
import type { Countable } from '../../../domain/tokens/chat-text.ts';
import type { Frame } from '../../ports/frame-sockets.ts';
import { decodedBytes, SPOKEN_TOKENS_PER_SECOND } from './conversation.ts';
import { deltaText, type UpstreamEvent } from './frames.ts';

const TEXT_DELTAS: ReadonlySet<string> = new Set([
  'response.output_text.delta',
  'response.text.delta',
  'response.output_audio_transcript.delta',
  'response.audio_transcript.delta',
  'response.function_call_arguments.delta',
]);

const AUDIO_DELTAS: ReadonlySet<string> = new Set(['response.output_audio.delta', 'response.audio.delta']);

/** What came of a response until now: it is charged by that where its usage is never told. */
export class ResponseMeter {
  readonly #keptLength: number;
  readonly #texts: string[] = [];
  #length = 0;
  /** Beyond what is kept of the text. */
  #uncounted = 0;
  #audioBytes = 0;

  /** `keptLength`: so much text is kept to be counted exactly. */
  constructor(keptLength: number) {
    this.#keptLength = keptLength;
  }

  /** Takes an event's output. Whether it has any. */
  note(frame: Frame, event: UpstreamEvent): boolean {
    if (AUDIO_DELTAS.has(event.type)) {
      if (event.delta !== null) this.#audioBytes += decodedBytes(event.delta.end - event.delta.start - 2);
      return true;
    }
    if (!TEXT_DELTAS.has(event.type)) return false;
    const text = deltaText(frame, event);
    if (this.#length + text.length > this.#keptLength) this.#uncounted += approximateTokens(text);
    else this.keep(text);
    return true;
  }

  /** Takes a text to be counted exactly, however long it is. */
  keep(text: string): void {
    this.#texts.push(text);
    this.#length += text.length;
  }

  get isSilent(): boolean {
    return this.#texts.length === 0 && this.#audioBytes === 0 && this.#uncounted === 0;
  }

  get text(): Countable {
    return { texts: this.#texts.length === 0 ? [] : [this.#texts.join('')], tokens: this.#uncounted };
  }

  audioTokens(spokenBytesPerSecond: number): number {
    return Math.ceil((this.#audioBytes * SPOKEN_TOKENS_PER_SECOND) / spokenBytesPerSecond);
  }
}
