import type { Actor, EventMetadata } from '../schemas/event-envelope.ts';
import type { CommandId } from '../schemas/ids.ts';

/** Who asks for something, when, and under which id: what every event that comes of it will carry. */
export interface CommandContext {
  /** The same id and the same payload give the same answer and no new event. */
  readonly commandId: CommandId;
  readonly correlationId: string;
  /** What caused the command: a request id, or the id of an event. */
  readonly causationId: string;
  readonly actor: Actor;
  readonly tenant: string;
  /** ISO 8601 with milliseconds, from the edge's clock. */
  readonly occurredAt: string;
  readonly traceparent?: string;
}

export const metadataOf = ({
  commandId,
  correlationId,
  causationId,
  actor,
  tenant,
  occurredAt,
  traceparent,
}: CommandContext): EventMetadata =>
  traceparent === undefined
    ? { commandId, correlationId, causationId, actor, tenant, occurredAt }
    : { commandId, correlationId, causationId, actor, tenant, occurredAt, traceparent };
