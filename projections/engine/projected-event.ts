import type { Position, RecordedEvent, Revision } from '../../schemas/event-envelope.ts';
import type { DomainEvent, EventOf, EventType } from '../../schemas/events/catalogue.ts';
import type { Instant } from '../../schemas/time.ts';

/** A decoded event and where it stands in the log. */
export type ProjectedEvent<Type extends EventType = EventType> = EventOf<Type> & {
  readonly stream: string;
  readonly revision: Revision;
  readonly position: Position;
  readonly recordedAt: Instant;
  /** When the command says it happened. */
  readonly occurredAt: Instant;
};

export const projectedEvent = (recorded: RecordedEvent, { type, data }: DomainEvent): ProjectedEvent =>
  ({
    type,
    data,
    stream: recorded.stream,
    revision: recorded.revision,
    position: recorded.position,
    recordedAt: recorded.recordedAt,
    occurredAt: recorded.metadata.occurredAt,
  }) as ProjectedEvent;
