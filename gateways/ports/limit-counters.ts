import type { Allowance, Look } from '../../domain/limits/allowance.ts';

/** What one rule asks for one call. */
export type Asking =
  | { readonly name: string; readonly allowance: Allowance; readonly units: number }
  /** A place among so many calls at once, which {@link LimitCounters.leave} gives back. */
  | { readonly name: string; readonly places: number };

/** What a call was let in by. */
export interface Answered {
  readonly admitted: boolean;
  /** By the order of what was asked. */
  readonly looks: readonly Look[];
}

/** Counts what limits are about. */
export interface LimitCounters {
  /** Takes all that is asked for, or nothing of it. `undefined`: what processes count in together cannot be reached. */
  take(asked: readonly Asking[]): Answered | Promise<Answered | undefined>;
  /** So much more was used than was taken; less, if negative. */
  settle(name: string, allowance: Allowance, units: number): void;
  leave(name: string): void;
}
