import type { FirstRun } from '../../commands/installation/initialise.ts';
import type { MetricSnapshot } from '../metrics/metrics.ts';

/** What whoever started the server first is shown once. */
export type FirstCredentials = Pick<FirstRun, 'apiKey' | 'adminEmail' | 'adminPassword'>;

/** What a supervised process tells its supervisor. */
export type FromProcess =
  | { readonly kind: 'ready'; readonly url: string; readonly firstRun: FirstCredentials | null }
  /** Somebody asks this process for the metrics of all of them. */
  | { readonly kind: 'metrics_wanted'; readonly request: number }
  | { readonly kind: 'metrics'; readonly request: number; readonly snapshot: MetricSnapshot };

/** What a supervisor tells its processes. */
export type FromSupervisor =
  /** Another one has taken over: end once nobody needs this one any more. */
  | { readonly kind: 'hand_over' }
  | { readonly kind: 'metrics_wanted'; readonly request: number }
  | { readonly kind: 'metrics'; readonly request: number; readonly text: string };
