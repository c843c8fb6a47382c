import { START, type Position, type RecordedEvent } from '../../schemas/event-envelope.ts';
import { partitionOf } from './stream-partition.ts';

/** How far a build has come: the same for all streams where it follows the log, and different from partition to partition where it follows Kafka. */
export interface Frontier {
  /** Everything up to here is shown. */
  readonly least: Position;
  /** Nothing beyond it is shown. */
  readonly most: Position;
  /** Whether the event, if it is wanted, is shown. */
  covers(event: Pick<RecordedEvent, 'stream' | 'position'>): boolean;
}

export const upTo = (position: Position): Frontier => ({ least: position, most: position, covers: (event) => event.position <= position });

/** Up to another position in each partition, in the order of their numbers. */
export const upToEach = (positions: readonly Position[]): Frontier => {
  const [first = START, ...others] = positions;
  let [least, most] = [first, first];
  for (const position of others) {
    if (position < least) least = position;
    if (position > most) most = position;
  }
  return {
    least,
    most,
    covers: ({ stream, position }) =>
      position <= least || (position <= most && position <= (positions[partitionOf(stream, positions.length)] ?? START)),
  };
};
