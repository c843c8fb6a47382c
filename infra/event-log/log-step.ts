import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';

/** A bounded piece of the log, read under one snapshot. */
export interface LogStep {
  readonly events: readonly RecordedEvent[];
  /** Every wanted event at or before this position is in `events` or lies before the step. */
  readonly through: Position;
  /** The last position of the log when the step was read; `through` equals it once the reader has seen all there was. */
  readonly head: Position;
}

/** How much one step may hold: what bounds the memory of a reader, whatever the log holds. */
export const STEP_LIMITS = { events: 500, bytes: 4_194_304 } as const;
