import type { Cluster, ClusterPlan } from './cluster.ts';

/** One place of the fault matrix, as data. */
export interface Cell {
  /** What is struck. */
  readonly target: string;
  /** With what. */
  readonly fault: string;
  readonly plan: ClusterPlan;
  /** How long the fault lasts, in ms. */
  readonly lastsMs: number;
  /**
   * Who completes calls that begin and end while it lasts: every process, at least one, none; or it is left open, because it depends on how
   * far things had come.
   */
  readonly serving: 'every' | 'some' | 'none' | 'open';
  readonly strike: (cluster: Cluster) => Promise<unknown> | void;
  readonly heal: (cluster: Cluster) => Promise<unknown> | void;
  /** What a reader of the report has to know about how it was done. */
  readonly how?: (cluster: Cluster) => string;
}
