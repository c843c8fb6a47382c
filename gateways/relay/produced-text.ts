import type { Teller, Told } from '../../domain/dialects/chat/told.ts';
import { readOpenAIUsage } from '../../domain/pricing/openai-usage.ts';
import { generousTokens } from '../../domain/tokens/approximate.ts';
import { producedBy, type Countable } from '../../domain/tokens/chat-text.ts';
import { ChatAnswer, type Choice, type Produced } from '../../schemas/openai/chat-answer.ts';
import type { Usage } from '../../schemas/usage.ts';
import { isBytes, sizeOf, textIn, type HubEvents } from './hub-events.ts';
import { dataOf, forEachEvent, isDone } from './sse.ts';

/** What was said so far, and what the upstream had reported of it when the stream broke off: of the prompt all, of the answer perhaps not. */
export interface SaidSoFar extends Countable {
  readonly reported: Usage | null;
}

/** Text kept for an exact count; what lies beyond is counted by its length. */
const MOST_TEXT = 2_000_000;

const answerIn = (value: unknown): ChatAnswer | null => {
  const parsed = ChatAnswer.safeParse(value);
  return parsed.success ? parsed.data : null;
};

const parseAnswer = (json: string): ChatAnswer | null => {
  try {
    return answerIn(JSON.parse(json));
  } catch {
    return null;
  }
};

/** What an event of another format comes to in the hub's. */
const toldOf = (teller: Teller, data: string): readonly Told[] => {
  try {
    return teller.push(JSON.parse(data));
  } catch {
    return [];
  }
};

const saidBy = ({ delta, message, text }: Choice): Pick<Produced, 'content'> | null =>
  delta ?? message ?? (text === null || text === undefined ? null : { content: text });

/**
 * What a stream has said so far, for when nobody reports how many tokens that was. Bytes are kept as they came and read
 * only when there are many of them or when the count is wanted: most streams end with their usage, and then nobody reads them. Of what was told
 * the texts alone are kept: so many small objects for as long as a stream lasts cost V8 more than all else that is done about them.
 */
export class ProducedText {
  readonly #unreadBytes: number;
  readonly #teller: Teller | null;
  #unread: HubEvents[] = [];
  #bytes = 0;
  /** One text a choice: a word that two chunks share is one word. */
  #texts: Map<number, string> | null = null;
  #length = 0;
  #tokens = 0;
  #events = 0;
  #finished = false;

  /** `teller`: tells in the hub's form what comes in another. */
  constructor(unreadBytes: number, teller: Teller | null) {
    this.#unreadBytes = unreadBytes;
    this.#teller = teller;
  }

  /** Nothing came so far. */
  get empty(): boolean {
    return this.#events === 0;
  }

  keep(events: HubEvents): void {
    this.#events++;
    if (isBytes(events)) return this.#keepUnread(events);
    for (const one of events) {
      if (typeof one === 'string') continue;
      const choice = one.head === undefined ? null : one.chunk.choices[0];
      const text = choice === null ? null : textIn(choice);
      if (choice === null || text === null) this.#keepUnread([one]);
      else {
        // What came before it is said before it.
        if (this.#unread.length > 0) this.#read();
        if (text !== '') this.#add(typeof choice['index'] === 'number' ? choice['index'] : 0, text);
      }
    }
  }

  #keepUnread(events: HubEvents): void {
    // Most silent streams have said one thing; an array that was pushed to has room for many.
    if (this.#unread.length === 0) this.#unread = [events];
    else this.#unread.push(events);
    this.#bytes += sizeOf(events);
    if (this.#bytes > this.#unreadBytes) this.#read();
  }

  /** The usage is known: what was said does not matter any more. */
  forget(): void {
    this.#unread = [];
    this.#bytes = 0;
    this.#texts = null;
  }

  /** Whether a choice has said why it ended. */
  finished(): boolean {
    this.#read();
    return this.#finished;
  }

  countable(): SaidSoFar {
    this.#read();
    const reading = readOpenAIUsage(this.#teller?.usageSoFar?.(), 'chat');
    return {
      texts: [...(this.#texts?.values() ?? [])],
      tokens: this.#tokens,
      reported: reading.kind === 'reported' ? reading.usage : null,
    };
  }

  #read(): void {
    const unread = this.#unread;
    this.#unread = [];
    this.#bytes = 0;
    for (const events of unread)
      if (isBytes(events)) forEachEvent(events, (event) => this.#readEvent(event));
      else this.#readTold(events);
  }

  #readTold(told: readonly Told[]): void {
    for (const one of told) if (typeof one !== 'string') this.#readChoices(answerIn(one.chunk));
  }

  #readEvent(event: Buffer): void {
    const data = dataOf(event);
    if (data === null || isDone(data)) return;
    if (this.#teller === null) this.#readChoices(parseAnswer(data));
    else this.#readTold(toldOf(this.#teller, data));
  }

  #readChoices(answer: ChatAnswer | null): void {
    for (const choice of answer?.choices ?? []) {
      const { index, finish_reason: reason } = choice;
      if (reason !== null && reason !== undefined && reason !== '') this.#finished = true;
      const produced = saidBy(choice);
      if (produced === null) continue;
      const texts: string[] = [];
      this.#tokens += producedBy(produced, texts);
      for (const text of texts) this.#add(index, text);
    }
  }

  #add(choice: number, text: string): void {
    this.#length += text.length;
    if (this.#length > MOST_TEXT) this.#tokens += generousTokens(text);
    else {
      this.#texts ??= new Map();
      this.#texts.set(choice, (this.#texts.get(choice) ?? '') + text);
    }
  }
}

/** What a whole answer says. */
export const producedByAnswer = (said: unknown): Countable => {
  const texts: string[] = [];
  let tokens = 0;
  for (const choice of answerIn(said)?.choices ?? []) {
    const produced = saidBy(choice);
    if (produced !== null) tokens += producedBy(produced, texts);
  }
  return { texts, tokens };
};
