import type { EventLog } from '../../../commands/ports/event-log.ts';
import type { PositionBoard } from '../../../projections/engine/position-board.ts';
import type { Clock } from '../../../projections/ports/clock.ts';
import type { Sql } from '../../../projections/ports/read-model-database.ts';

/** What the console's reads are made of. No read holds a connection between its queries. */
export interface ReadsDeps {
  readonly sql: Sql;
  readonly log: Pick<EventLog, 'readStream'>;
  readonly board: Pick<PositionBoard, 'waitFor'>;
  readonly clock: Clock;
}
