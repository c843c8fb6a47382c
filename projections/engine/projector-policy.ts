/** Times in milliseconds. */
export interface ProjectorPolicy {
  /** Most events in one transaction. */
  readonly batchSize: number;
  /** Least time between two live transactions: the first event after a pause is projected at once, a stream of them in bundles. */
  readonly lingerMs: number;
  /** What that time grows to, doubled by each bundle, while events keep coming and nobody waits for them. */
  readonly longestLingerMs: number;
  /** How often a batch that fails is tried as a whole before its events are tried one by one. */
  readonly attempts: number;
  readonly retryMs: number;
  /** A position that moved without events is stored after this long. */
  readonly storeIdleMs: number;
  /** Longest pause between attempts while the database or the log is away. */
  readonly longestPauseMs: number;
}

export const DEFAULT_PROJECTOR_POLICY: ProjectorPolicy = {
  batchSize: 4_000,
  lingerMs: 50,
  longestLingerMs: 400,
  attempts: 3,
  retryMs: 20,
  storeIdleMs: 250,
  longestPauseMs: 5_000,
};
