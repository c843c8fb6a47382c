import type { Usage } from '../../../schemas/usage.ts';
import { isRecord } from './session-terms.ts';

/** Ten tokens are a second of what a user says, twenty a second of what the model does: OpenAI's rule. */
export const HEARD_TOKENS_PER_SECOND = 10;
export const SPOKEN_TOKENS_PER_SECOND = 20;

/** No tokenizer makes more tokens of a text than it has bytes; usually it has about four. */
const USUAL_BYTES_PER_TOKEN = 4;

/** The most that one picture takes. */
const PICTURE_TOKENS = 8_192;

/** Bytes behind so much of base64. */
export const decodedBytes = (base64Length: number): number => Math.floor((base64Length * 3) / 4);

/** What was put into a conversation that no response has been charged for yet. */
export interface Said {
  readonly textBytes: number;
  readonly audioTokens: number;
  readonly pictures: number;
}

export const NOTHING_SAID: Said = { textBytes: 0, audioTokens: 0, pictures: 0 };

export const plus = (one: Said, other: Said): Said => ({
  textBytes: one.textBytes + other.textBytes,
  audioTokens: one.audioTokens + other.audioTokens,
  pictures: one.pictures + other.pictures,
});

/** Sound, by its bytes. */
export const soundSaid = (bytes: number, bytesPerSecond: number): Said => ({
  ...NOTHING_SAID,
  audioTokens: Math.ceil((bytes * HEARD_TOKENS_PER_SECOND) / bytesPerSecond),
});

/** An item that the client puts into the conversation; everything in it that is neither sound nor a picture is taken for text. */
export const itemSaid = (item: unknown, frameBytes: number, bytesPerSecond: number): Said => {
  const content = isRecord(item) && Array.isArray(item['content']) ? (item['content'] as readonly unknown[]) : [];
  let said: Said = NOTHING_SAID;
  let other = frameBytes;
  for (const part of content) {
    if (!isRecord(part)) continue;
    const { audio, image_url: picture } = part;
    if (typeof audio === 'string') {
      said = plus(said, soundSaid(decodedBytes(audio.length), bytesPerSecond));
      other -= audio.length;
    } else if (typeof picture === 'string') {
      said = { ...said, pictures: said.pictures + 1 };
      other -= picture.length;
    }
  }
  return { ...said, textBytes: said.textBytes + Math.max(0, other) };
};

/** What a conversation holds, as far as that decides about what its next response costs. */
export class Conversation {
  /** As the last response's usage had it, with what that response added. */
  #known = { text: 0, audio: 0, image: 0 };
  #since: Said = NOTHING_SAID;

  add(said: Said): void {
    this.#since = plus(this.#since, said);
  }

  /** What was said up to now, to be taken off once a response that has heard it was charged. */
  get since(): Said {
    return this.#since;
  }

  /** The most tokens that a response would read now. */
  get mostTokens(): number {
    const { text, audio, image } = this.#known;
    const { textBytes, audioTokens, pictures } = this.#since;
    return text + audio + image + textBytes + audioTokens + pictures * PICTURE_TOKENS;
  }

  /** What a response would probably read now. */
  get likely(): Usage {
    const { text, audio, image } = this.#known;
    const { textBytes, audioTokens, pictures } = this.#since;
    return {
      input: text + Math.ceil(textBytes / USUAL_BYTES_PER_TOKEN),
      audioInput: audio + audioTokens,
      ...(image + pictures === 0 ? {} : { imageInput: image + pictures * PICTURE_TOKENS }),
    };
  }

  /** A response was charged that had heard `heard`. One that stands beside the conversation says nothing of it. */
  charged(usage: Usage, heard: Said, isBeside: boolean): void {
    if (isBeside) return;
    const { input = 0, cachedInput = 0, audioInput = 0, imageInput = 0, output = 0, reasoning = 0, audioOutput = 0 } = usage;
    this.#known = { text: input + cachedInput + output + reasoning, audio: audioInput + audioOutput, image: imageInput };
    const { textBytes, audioTokens, pictures } = this.#since;
    this.#since = {
      textBytes: Math.max(0, textBytes - heard.textBytes),
      audioTokens: Math.max(0, audioTokens - heard.audioTokens),
      pictures: Math.max(0, pictures - heard.pictures),
    };
  }
}
