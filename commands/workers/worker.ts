import type { Refusal } from '../../schemas/errors.ts';
import type { Actor, Position, Revision } from '../../schemas/event-envelope.ts';
import type { EventOf, EventType } from '../../schemas/events/catalogue.ts';
import type { EventId, StreamName } from '../../schemas/ids.ts';
import type { Instant } from '../../schemas/time.ts';
import type { CommandContext } from '../command-context.ts';

/** A decoded event that a worker is given, and where it stands. */
export type WorkEvent<Type extends EventType = EventType> = EventOf<Type> & {
  readonly eventId: EventId;
  readonly stream: StreamName;
  readonly revision: Revision;
  readonly position: Position;
  readonly recordedAt: Instant;
  readonly actor: Actor;
};

/** One attempt of a worker at one event. */
export interface WorkContext {
  /** 1 the first time. */
  readonly attempt: number;
  /** If this attempt fails the work is parked. */
  readonly isLast: boolean;
  /** Aborts when the work has to be let go: the server stops, or somebody else has it now. */
  readonly signal: AbortSignal;
  /** Shows how far long work is: units done, of so many where that is known. As often as the worker likes. */
  readonly progress: (done: number, total: number | null) => void;
  /**
   * For what the worker commands because of the event. The command id is made of the worker and the event, so that an event that is
   * handled twice commands the same twice, which the log knows for a repeat. `part` tells several commands of one event apart.
   */
  readonly command: (tenant: string, part?: string) => CommandContext;
}

/**
 * Work that follows from events: it has effects outside the log's read models, so it is never rebuilt. Every event of its types comes
 * at least once, and now and then again: what a handler does twice has to be as good as done once.
 */
export interface Worker<Type extends EventType> {
  readonly name: string;
  readonly types: readonly Type[];
  /** Where it begins when there was no such worker before: after all that has happened, unless it says otherwise. */
  readonly from?: 'head' | 'start';
  /**
   * What fails holds back later events of its own stream until it is done, or an operator gives it up. Otherwise later events
   * overtake it, which is right for a handler that looks at the stream anyway.
   */
  readonly keepsOrder?: true;
  /** Each piece takes long: it is handed out at once to whichever process is free, and the events behind it do not wait. */
  readonly takesLong?: true;
  /** A throw and a refusal are failures alike, and tried again later. */
  handle(event: WorkEvent<Type>, context: WorkContext): Promise<Refusal | null>;
}

/** A worker among others of other types. */
export type AnyWorker = Worker<EventType>;

/** Lets a worker be typed by its own events, and stand in one list with all others: it is never given any but its own. */
export const workerOf = <const Type extends EventType>(worker: Worker<Type>): AnyWorker => worker;
