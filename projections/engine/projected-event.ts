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

/** Few projections ask when an event happened, and the answer may have to be parsed. */
class Projected {
  readonly type: string;
  readonly data: unknown;
  readonly stream: string;
  readonly revision: Revision;
  readonly position: Position;
  readonly recordedAt: Instant;
  readonly #recorded: RecordedEvent;

  constructor(recorded: RecordedEvent, { type, data }: DomainEvent) {
    this.type = type;
    this.data = data;
    this.stream = recorded.stream;
    this.revision = recorded.revision;
    this.position = recorded.position;
    this.recordedAt = recorded.recordedAt;
    this.#recorded = recorded;
  }

  get occurredAt(): Instant {
    return this.#recorded.metadata.occurredAt;
  }
}

export const projectedEvent = (recorded: RecordedEvent, event: DomainEvent): ProjectedEvent =>
  new Projected(recorded, event) as unknown as ProjectedEvent;
