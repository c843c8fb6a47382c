/** Hears how long the log takes to make the events of leases durable. */
export interface DurableTimes {
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  durable(eventType: string, ms: number): void;
}
