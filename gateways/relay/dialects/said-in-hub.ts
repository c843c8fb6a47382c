import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { RepeatedJson } from '../repeated-json.ts';
import { forEachData, isDone } from '../sse.ts';
import { parsedJson } from './parsed-json.ts';
import { saidByError } from './said-by-error.ts';

/** Reads events of the hub's stream: chunks one by one, and what an error in their place says. */
export class HubEvents {
  readonly #json = new RepeatedJson('content');

  /** Chunks are good until the next one. */
  read(events: Buffer, chunk: (value: unknown) => void, failed: (sentence: string) => void): void {
    forEachData(events, (data) => {
      if (isDone(data)) return;
      const value = this.#parsed(data);
      const error = isRecord(value) ? value['error'] : undefined;
      if (error !== undefined && error !== null) failed(saidByError(error));
      else chunk(value);
    });
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
