import type { Records } from '../../projections/ports/records.ts';

/** Where workers find events in Kafka. */
export interface WorkerRecords {
  readonly records: Records;
  /** The topic of events. */
  readonly events: string;
  /** What the names of our topics and groups begin with. */
  readonly prefix: string;
}
