import type { Position } from '../../schemas/event-envelope.ts';
import type { KnownPartitions } from './partitions.ts';
import type { Projection } from './projection.ts';

/** A projection while it is being kept current. */
export interface Member {
  readonly projection: Projection;
  readonly partitions: KnownPartitions;
  /** As stored. */
  position: Position;
  epoch: bigint;
  blocked: ReadonlySet<string>;
}

/** How far the one has come that is ahead of all others. */
export const latest = (members: readonly Member[]): Position =>
  members.reduce((last, { position }) => (position > last ? position : last), 0n as Position);
