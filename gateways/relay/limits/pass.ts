import type { LimitCounters } from '../../ports/limit-counters.ts';
import type { CompiledRule } from './compiled-rules.ts';

/** What one rule counted of a call. */
export interface Counted {
  readonly compiled: CompiledRule;
  readonly name: string;
  readonly units: number;
}

/** What a call was let in by: to be settled once it has ended. */
export interface Pass {
  readonly counted: readonly Counted[];
  readonly counters: LimitCounters;
}
