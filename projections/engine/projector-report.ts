import type { Position } from '../../schemas/event-envelope.ts';
import type { PoisonEvent } from './batch.ts';

/**
 * `standby`: another process projects. `waiting`: the database or the log is away, or somebody moved a checkpoint; what was
 * being written was not, and the projector starts again from what is stored.
 */
export type ProjectorState = 'stopped' | 'standby' | 'starting' | 'catching_up' | 'live' | 'waiting';

export type ProjectorReport =
  | { readonly kind: 'state'; readonly state: ProjectorState }
  /** Why it is `waiting`. `fenced`: somebody else moved a checkpoint. */
  | { readonly kind: 'interrupted'; readonly fenced: boolean; readonly error: Error }
  | { readonly kind: 'parked'; readonly poison: PoisonEvent }
  /** The read models cannot have come from this log; they are dropped and made anew. */
  | { readonly kind: 'reset'; readonly reason: string }
  /** They follow Kafka from here on, or the log again. */
  | { readonly kind: 'handed_over' | 'taken_back'; readonly projections: readonly string[] }
  /** While catching up, now and then. */
  | { readonly kind: 'progress'; readonly projections: readonly string[]; readonly position: Position; readonly head: Position };
