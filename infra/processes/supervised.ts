import cluster from 'node:cluster';
import type { MetricSnapshot } from '../metrics/metrics.ts';
import type { FromProcess, FromSupervisor } from './messages.ts';

/** A process's link to the supervisor that started it. */
export interface Supervised {
  /** What this process adds to the metrics of all of them. */
  countBy(snapshot: () => Promise<MetricSnapshot>): void;
  /** The metrics of all processes, as text. */
  renderMetrics(): Promise<string>;
  ready(what: Omit<Extract<FromProcess, { kind: 'ready' }>, 'kind'>): void;
  /** Called when another process has taken over. */
  onHandOver(listener: () => void): void;
}

/** How long the supervisor may take to ask all others. Milliseconds. */
const METRICS_MS = 5_000;

/** `null` in a process that nobody supervises. */
export const supervised = (): Supervised | null => {
  if (!cluster.isWorker) return null;
  const tell = (message: FromProcess): void => void process.send?.(message);
  const waiting = new Map<number, (text: string) => void>();
  let snapshotOf: () => Promise<MetricSnapshot> = () => Promise.resolve([]);
  let handOver = (): void => undefined;
  let requests = 0;
  process.on('message', (message: FromSupervisor) => {
    if (message.kind === 'hand_over') handOver();
    else if (message.kind === 'metrics') waiting.get(message.request)?.(message.text);
    else {
      const { request } = message;
      snapshotOf().then(
        (snapshot) => tell({ kind: 'metrics', request, snapshot }),
        () => tell({ kind: 'metrics', request, snapshot: [] }),
      );
    }
  });
  return {
    countBy: (snapshot) => {
      snapshotOf = snapshot;
    },
    renderMetrics: async () => {
      const request = ++requests;
      let timer: NodeJS.Timeout | undefined;
      try {
        return await new Promise<string>((resolve, reject) => {
          timer = setTimeout(() => reject(new Error('the supervisor did not answer')), METRICS_MS);
          waiting.set(request, resolve);
          tell({ kind: 'metrics_wanted', request });
        });
      } finally {
        clearTimeout(timer);
        waiting.delete(request);
      }
    },
    ready: (what) => tell({ kind: 'ready', ...what }),
    onHandOver: (listener) => {
      handOver = listener;
    },
  };
};
