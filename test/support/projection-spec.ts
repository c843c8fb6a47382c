import type { DomainEvent, EventType } from '../../schemas/events/catalogue.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import { foldDocument, type DocumentAt } from '../../projections/engine/document-rows.ts';
import type { ProjectedEvent } from '../../projections/engine/projected-event.ts';
import type { DocumentProjection } from '../../projections/engine/projection.ts';

/** When the n-th event of a spec happened. */
export const instantOf = (index: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();

/** The events of one stream as a projection is given them, a second apart, at positions 1, 2, 3… */
export const projected = <Type extends EventType>(
  ...events: readonly Extract<DomainEvent, { type: Type }>[]
): readonly ProjectedEvent<Type>[] =>
  events.map(
    ({ type, data }, index) =>
      ({
        type,
        data,
        stream: 'spec-1',
        revision: index,
        position: BigInt(index + 1) as Position,
        recordedAt: instantOf(index),
        occurredAt: instantOf(index),
      }) as unknown as ProjectedEvent<Type>,
  );

/** Given these events, the documents by key. */
export const given = <Type extends EventType, Doc>(
  projection: DocumentProjection<Type, Doc>,
  ...events: readonly Extract<DomainEvent, { type: Type }>[]
): Readonly<Record<string, Doc | undefined>> => {
  const documents: Record<string, DocumentAt<Doc> | undefined> = {};
  for (const event of projected(...events)) {
    const key = projection.keyOf(event);
    documents[key] = foldDocument(projection, documents[key], event);
  }
  return Object.fromEntries(Object.entries(documents).map(([key, document]) => [key, document?.doc]));
};
