import type { Teller, Told } from '../../../domain/dialects/chat/told.ts';
import { RepeatedJson } from '../repeated-json.ts';
import { dataOf, EventSplitter, forEachData, forEachEvent, isDone, nameOf } from '../sse.ts';
import { GARBLED, type StreamTranslation } from './translated-answer.ts';

const NOTHING: readonly Told[] = [];

/** Server-sent events of JSON, which most dialects stream in, told event by event. */
export class EventTranslation implements StreamTranslation {
  readonly #teller: Teller;
  readonly #named: boolean;
  readonly #splitter: EventSplitter;
  /** Most dialects call it so what differs from event to event. */
  readonly #json: { readonly parse: (json: string) => unknown };

  /** `named`: events are told as `{event, data}`, for formats that say in an event's name what it is. */
  constructor(teller: Teller, eventBytes: number, named = false) {
    this.#named = named;
    this.#teller = teller;
    this.#json = teller.keepsEvents === true ? JSON : new RepeatedJson('text');
    this.#splitter = new EventSplitter(eventBytes);
  }

  push(piece: Buffer): readonly Told[] | typeof GARBLED {
    const events = this.#splitter.push(piece);
    if (events === null) return NOTHING;
    return events === 'overflow' ? GARBLED : this.#tell(events);
  }

  end(): readonly Told[] {
    const rest = this.#splitter.rest();
    const told = rest.length === 0 ? NOTHING : this.#tell(Buffer.concat([rest, Buffer.from('\n\n')]));
    const last = this.#teller.end();
    // Half an event says nothing, and what is behind it can only be that the stream was cut.
    return told === GARBLED ? last : [...told, ...last];
  }

  #tell(events: Buffer): readonly Told[] | typeof GARBLED {
    const told: Told[] = [];
    let isGarbled = false;
    const tell = (data: string, name: string | null): void => {
      if (isGarbled || data === '' || isDone(data)) return;
      let value: unknown;
      try {
        value = this.#json.parse(data);
      } catch {
        isGarbled = true;
        return;
      }
      for (const one of this.#teller.push(name === null ? value : { event: name, data: value })) told.push(one);
    };
    if (this.#named)
      forEachEvent(events, (event) => {
        const data = dataOf(event);
        if (data !== null) tell(data, nameOf(event));
      });
    else forEachData(events, (data) => tell(data, null));
    return isGarbled ? GARBLED : told;
  }
}
