/** The only source of time outside `infra`. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump, and decides nothing that a log could decide. */
  now(): number;
}
