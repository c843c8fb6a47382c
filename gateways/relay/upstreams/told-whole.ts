import type { Teller, Told } from '../../../domain/dialects/chat/told.ts';
import { wholeOfChunks } from '../../../domain/dialects/chat/whole-of-chunks.ts';
import { dataOf, forEachEvent, isDone, nameOf } from '../sse.ts';
import { jsonIn } from './json-bytes.ts';

type Json = Readonly<Record<string, unknown>>;

const errorIn = (told: readonly Told[]): Json | null => {
  for (const one of told) if (typeof one === 'object' && one.chunk['error'] !== undefined) return one.chunk;
  return null;
};

/** A whole answer out of what a teller makes of it; the error that it is, or `null` for what is none. */
export const toldWhole = (teller: Teller, said: unknown): Json | null => {
  const told = teller.push(said);
  return errorIn(told) ?? wholeOfChunks(told);
};

/** A whole answer out of a stream that was read to its end, for upstreams that give nothing but streams. */
export const toldOfEvents = (teller: Teller, body: Buffer, named = false): Json | null => {
  const told: Told[] = [];
  forEachEvent(Buffer.concat([body, Buffer.from('\n\n')]), (event) => {
    const data = dataOf(event);
    if (data === null || data === '' || isDone(data)) return;
    const said = jsonIn(Buffer.from(data));
    told.push(...teller.push(named ? { event: nameOf(event), data: said } : said));
  });
  told.push(...teller.end());
  // Half an answer is none.
  return errorIn(told) ?? (told.includes('done') ? wholeOfChunks(told) : null);
};
