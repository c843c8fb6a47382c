import type { AppendOutcome } from '../../commands/ports/event-log.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { PreparedAppend } from './prepare-append.ts';
import type { StoredEvent } from './stored-event.ts';

/** The events that a call has just written, in order of position, as a reader of the log would find them. Repeats wrote nothing. */
export const writtenEvents = (appends: readonly PreparedAppend[], outcomes: readonly AppendOutcome[], recordedAt: string): StoredEvent[] =>
  appends.flatMap(({ stream, events }, i) => {
    const outcome = outcomes[i];
    if (outcome?.outcome !== 'appended' || outcome.repeated) return [];
    return events.map(({ eventId, type, schemaVersion, data, metadata }, place) => {
      const toEnd = events.length - 1 - place;
      const position = (outcome.position - BigInt(toEnd)) as Position;
      return { position, stream, revision: outcome.revision - toEnd, eventId, type, schemaVersion, recordedAt, data, metadata };
    });
  });

/** The position after a call, or `undefined` when it wrote nothing. */
export const lastWritten = (outcomes: readonly AppendOutcome[]): Position | undefined => {
  for (let i = outcomes.length - 1; i >= 0; i--) {
    const outcome = outcomes[i];
    if (outcome?.outcome === 'appended' && !outcome.repeated) return outcome.position;
  }
  return undefined;
};
