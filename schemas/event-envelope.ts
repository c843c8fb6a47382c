import { z } from 'zod';
import type { CommandId, EventId, StreamName } from './ids.ts';

declare const position: unique symbol;

/** A place in the whole log. Order of positions is the order of commits; numbers may be skipped. */
export type Position = bigint & { readonly [position]: true };

/** Before the first event of any log. */
export const START = 0n as Position;

/** A place in one stream; the first event of a stream has revision 0. */
export type Revision = number;

/** What an appender believes of a stream. Commands pass a revision or `no_stream`; `any` is for facts whose order does not matter. */
export type ExpectedRevision = Revision | 'no_stream' | 'stream_exists' | 'any';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };
export type JsonObject = { readonly [key: string]: JsonValue | undefined };

/** Who caused an event. `system` is the platform itself (sweeper, first start). */
export const Actor = z.object({ kind: z.enum(['user', 'token', 'operator', 'system']), id: z.string().max(100) });
export type Actor = z.infer<typeof Actor>;

export interface EventMetadata {
  readonly correlationId: string;
  readonly causationId: string;
  readonly commandId: CommandId;
  readonly actor: Actor;
  /** Whose data this is: the user id, or `platform`. */
  readonly tenant: string;
  /** When the command says it happened: ISO 8601 with milliseconds, UTC. The log's own time is `recordedAt`. */
  readonly occurredAt: string;
  readonly traceparent?: string;
  /** Digest of the command's payload: a command id that comes again with another payload is a conflict, not a repeat. */
  readonly payloadDigest?: string;
}

export interface NewEvent {
  readonly eventId: EventId;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: JsonObject;
  readonly metadata: EventMetadata;
}

/** `data` and `metadata` may be parsed only when they are looked at, so a copy by spreading has to name them. */
export interface RecordedEvent extends NewEvent {
  readonly stream: StreamName;
  readonly revision: Revision;
  readonly position: Position;
  readonly recordedAt: string;
}

/** Which events a reader of the whole log wants; no filter wants them all. Both given: both must hold. */
export interface EventFilter {
  /** Stream categories (the part of the stream name before the first hyphen). */
  readonly categories?: readonly string[];
  readonly types?: readonly string[];
}

/**
 * What a subscription yields, in log order. `checkpoint` says that nothing the filter wants lies at or before its
 * position, so a reader may store it; `caughtUp` says that the reader has seen all there was at that moment.
 */
export type LogMessage =
  | { readonly kind: 'events'; readonly events: readonly RecordedEvent[] }
  | { readonly kind: 'checkpoint'; readonly position: Position }
  | { readonly kind: 'caughtUp'; readonly position: Position };
