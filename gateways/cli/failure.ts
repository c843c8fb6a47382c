/**
 * How a command ends: 0 done; 1 failed, or found something wrong; 2 was not understood; 3 was refused by the server's rules; 4 reached
 * neither a server nor the data.
 */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, unreachable: 4 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Why a command did not do what it was asked to. */
export interface Failure {
  readonly failed: Exclude<ExitCode, 0>;
  readonly message: string;
}

export const fail = (failed: Failure['failed'], message: string): Failure => ({ failed, message });

export const isFailure = (value: unknown): value is Failure =>
  typeof value === 'object' && value !== null && 'failed' in value && 'message' in value && typeof value.failed === 'number';
