import type { Told, ToldChunk } from '../../domain/dialects/chat/told.ts';
import type { UpstreamListener } from '../ports/upstream.ts';
import type { HubAnswer } from './hub-answer.ts';

/**
 * A piece of the hub's stream: bytes of an upstream that speaks it, cut anywhere; or what another dialect's came to, always whole, of which bytes are made
 * only where somebody wants those.
 */
export type HubEvents = Buffer | readonly Told[];

/** Hears an upstream in the hub's form. */
export interface HubListener extends Omit<UpstreamListener, 'data'> {
  data(events: HubEvents): boolean;
  /** All of an answer that is no stream; nothing comes behind it. */
  whole(answer: HubAnswer): void;
}

/** A comment: it says nothing but that somebody is there. */
const ALIVE = ': alive\n\n';

type Json = Readonly<Record<string, unknown>>;

/** The piece of text that is all a choice says; `null` where it says anything else. */
export const textIn = ({ delta, logprobs, finish_reason: finish }: Json): string | null => {
  if (typeof delta !== 'object' || delta === null || logprobs !== null || finish !== null) return null;
  const { content } = delta as Json;
  return typeof content === 'string' && Object.keys(delta).length === 1 ? content : null;
};

/** Most choices say a piece of text: to write that alone takes V8 a fifth of what all of the choice does. */
const jsonOfChoice = (choice: Json): string => {
  const text = textIn(choice);
  if (text === null) return JSON.stringify(choice);
  return `{"index":${String(choice['index'])},"delta":{"content":${JSON.stringify(text)}},"logprobs":null,"finish_reason":null}`;
};

const textOfChunk = ({ chunk, head }: ToldChunk): string =>
  head === undefined ? `data: ${JSON.stringify(chunk)}\n\n` : `data: ${head.json}${jsonOfChoice(chunk.choices[0])}]}\n\n`;

/** As the hub's stream has it. */
export const textOfTold = (told: readonly Told[]): string => {
  let text = '';
  for (const one of told) {
    if (one === 'alive') text += ALIVE;
    else if (one === 'done') text += 'data: [DONE]\n\n';
    else text += textOfChunk(one);
  }
  return text;
};

export const bytesOfTold = (told: readonly Told[]): Buffer => Buffer.from(textOfTold(told));

/** Which of the two it is, asked several times for every piece of every stream: looking for an array is the cheapest way to tell. */
export const isBytes = (events: HubEvents): events is Buffer => !Array.isArray(events);

/** The same, whichever it is. */
export const bytesOf = (events: HubEvents): Buffer => (isBytes(events) ? events : bytesOfTold(events));

/** What stands around the texts of a chunk. */
const FRAME = 150;

const sizeOfChunk = ({ chunk, head }: ToldChunk): number => {
  if (head === undefined) return JSON.stringify(chunk).length;
  const [choice] = chunk.choices;
  const text = textIn(choice);
  return FRAME + (text ?? JSON.stringify(choice)).length;
};

/** About how much room they take: bytes as they are counted, and what was told by the length of its texts. */
export const sizeOf = (events: HubEvents): number => {
  if (isBytes(events)) return events.length;
  let size = 0;
  for (const one of events) size += typeof one === 'string' ? one.length : sizeOfChunk(one);
  return size;
};
