import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { isBytes, type HubEvents } from '../hub-events.ts';
import { RepeatedJson } from '../repeated-json.ts';
import { forEachData, isDone } from '../sse.ts';
import { parsedJson } from './parsed-json.ts';
import { saidByError } from './said-by-error.ts';

/** Calls `each` with every chunk of a run of whole events, and with errors in their place. What came as bytes is parsed. */
export const forEachChunk = (events: HubEvents, each: (value: unknown) => void, parse: (json: string) => unknown = parsedJson): void => {
  if (isBytes(events))
    forEachData(events, (data) => {
      if (!isDone(data)) each(parse(data));
    });
  else for (const told of events) if (typeof told !== 'string') each(told.chunk);
};

/** Reads events of the hub's stream: chunks one by one, and what an error in their place says. */
export class HubReader {
  readonly #json = new RepeatedJson('content');

  /** Chunks are good until the next one. */
  read(events: HubEvents, chunk: (value: unknown) => void, failed: (sentence: string) => void): void {
    forEachChunk(
      events,
      (value) => {
        const error = isRecord(value) ? value['error'] : undefined;
        if (error !== undefined && error !== null) failed(saidByError(error));
        else chunk(value);
      },
      (json) => this.#parsed(json),
    );
  }

  #parsed(data: string): unknown {
    try {
      return this.#json.parse(data);
    } catch {
      return null;
    }
  }
}

/** What an upstream's error, which came in the hub's form, says. */
export const sentenceOf = (body: Buffer): string => {
  const said = parsedJson(body.toString('utf8'));
  return saidByError(isRecord(said) ? said['error'] : null);
};
