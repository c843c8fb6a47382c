import type { AppendOutcome } from '../../../commands/ports/event-log.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import type { PreparedAppend } from '../prepare-append.ts';
import { elementsOf, int4Array, textArray, uuidArray } from './binary-arrays.ts';

export const APPEND_SQL =
  'select recorded_ms, codes, revisions, positions from event_log.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)';

const NO_STREAM = -1;

/** Gives each distinct text a place, counted from 1. */
class Places {
  readonly texts: string[] = [];
  readonly #places = new Map<string, number>();

  of(text: string): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.texts.push(text);
    this.#places.set(text, place);
    return place;
  }
}

/** The parameters of the SQL function for a batch, after the writer and the announcement. */
export const encodeAppends = (appends: readonly PreparedAppend[]): Buffer[] => {
  const streams = new Places();
  const kinds = new Places();
  const appendStreams: number[] = [];
  const expected: number[] = [];
  const counts: number[] = [];
  const eventAppends: number[] = [];
  const ids: string[] = [];
  const eventKinds: number[] = [];
  const versions: number[] = [];
  const data: string[] = [];
  const metadata: string[] = [];
  for (const append of appends) {
    appendStreams.push(streams.of(append.stream));
    expected.push(append.expected);
    const place = counts.push(append.events.length);
    for (const event of append.events) {
      eventAppends.push(place);
      ids.push(event.eventId);
      eventKinds.push(kinds.of(`${append.category}/${event.type}`));
      versions.push(event.schemaVersion);
      data.push(event.data);
      metadata.push(event.metadata);
    }
  }
  return [
    textArray(streams.texts),
    textArray(kinds.texts.map((kind) => kind.slice(0, kind.indexOf('/')))),
    textArray(kinds.texts.map((kind) => kind.slice(kind.indexOf('/') + 1))),
    int4Array(appendStreams),
    int4Array(expected),
    int4Array(counts),
    int4Array(eventAppends),
    uuidArray(ids),
    int4Array(eventKinds),
    int4Array(versions),
    textArray(data),
    textArray(metadata),
  ];
};

/** The function's answer as outcomes, one for each append, in order. */
export const decodeOutcomes = (row: readonly string[]): { readonly recordedMs: number; readonly outcomes: AppendOutcome[] } => {
  const [recordedMs, codes, revisions, positions] = row as [string, string, string, string];
  const codeOf = elementsOf(codes);
  const revisionOf = elementsOf(revisions);
  const positionOf = elementsOf(positions);
  const outcomes = codeOf.map((code, i): AppendOutcome => {
    const revision = Number(revisionOf[i]);
    if (code === '2') return { outcome: 'conflict', actual: revision === NO_STREAM ? 'no_stream' : revision };
    return { outcome: 'appended', revision, position: BigInt(positionOf[i] as string) as Position, repeated: code === '1' };
  });
  return { recordedMs: Number(recordedMs), outcomes };
};
