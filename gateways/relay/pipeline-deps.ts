import type { AttemptDeps } from './attempt-deps.ts';
import type { KeptAnswers } from './kept-answers.ts';
import type { Limiter } from './limit.ts';
import type { LimitGate } from './limits/limit-gate.ts';

/** What all the steps of a call need. */
export interface PipelineDeps extends AttemptDeps {
  readonly limiter: Limiter;
  readonly kept: KeptAnswers;
  readonly gate: LimitGate;
}
