import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { dataOf, forEachEvent, isDone } from '../sse.ts';
import { parsedJson } from './parsed-json.ts';
import { saidByError } from './said-by-error.ts';

/** Reads events of the hub's stream: chunks one by one, and what an error in their place says. */
export const forEachChunk = (events: Buffer, chunk: (value: unknown) => void, failed: (sentence: string) => void): void =>
  forEachEvent(events, (one) => {
    const data = dataOf(one);
    if (data === null || isDone(data)) return;
    const value = parsedJson(data);
    const error = isRecord(value) ? value['error'] : undefined;
    if (error !== undefined && error !== null) failed(saidByError(error));
    else chunk(value);
  });

/** What an upstream's error, which came in the hub's form, says. */
export const sentenceOf = (body: Buffer): string => {
  const said = parsedJson(body.toString('utf8'));
  return saidByError(isRecord(said) ? said['error'] : null);
};
