/** Something that went wrong and was dealt with; for the operator's log and counters. */
export interface LogFault {
  readonly what: 'append_failed' | 'read_failed' | 'listen_failed' | 'worker_lost';
  readonly error: Error;
}

export type FaultListener = (fault: LogFault) => void;

export const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
