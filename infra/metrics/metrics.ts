import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry, type MetricObjectWithValues, type MetricValue } from 'prom-client';
import type { FinishedCall, RelayMetrics } from '../../gateways/ports/relay-metrics.ts';
import { spread, tallied } from './tally.ts';

/** Metrics of one process, as prom-client puts those of many together. */
export type MetricSnapshot = MetricObjectWithValues<MetricValue<string>>[];

export interface LedgerStats {
  readonly leases: number;
  readonly holds: number;
  readonly waiting: number;
}

export interface ProjectionStats {
  readonly name: string;
  readonly lagEvents: number;
  readonly lagSeconds: number;
  readonly parked: number;
}

export interface WorkerStats extends ProjectionStats {
  readonly waiting: number;
}

/** Read when somebody looks, never on the hot path. */
export interface Observed {
  readonly appendQueue: () => { readonly depth: number; readonly batches: number; readonly events: number };
  readonly droppedLogLines: () => number;
}

export interface Metrics {
  readonly relay: RelayMetrics;
  /** How long a charge took to be durable, in seconds. */
  readonly durable: (step: 'reserve' | 'charge', seconds: number) => void;
  /** Keys and users that were looked up outside of memory, by where they were found. */
  readonly lookedUp: (kind: string, outcome: string) => void;
  readonly observeDirectory: (directory: () => { readonly tokens: number; readonly users: number }) => void;
  /** A worker has tried an event. */
  readonly worked: (worker: string, outcome: 'done' | 'failed' | 'parked') => void;
  readonly observe: (observed: Observed) => void;
  readonly observeLedger: (ledger: () => LedgerStats) => void;
  readonly observeProjections: (projections: () => readonly ProjectionStats[]) => void;
  readonly observeWorkers: (workers: () => readonly WorkerStats[]) => void;
  /** For parts that put their own figures beside these. */
  readonly registry: Registry;
  readonly contentType: string;
  readonly render: () => Promise<string>;
  readonly snapshot: () => Promise<MetricSnapshot>;
}

const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const DURABLE_SECONDS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Everything `/metrics` shows. Names begin with `oblivious_`; money is in nano-dollars. */
export const createMetrics = (): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const started = tallied({
    registers,
    name: 'oblivious_calls_started_total',
    help: 'Relayed calls that arrived.',
    labelNames: ['route'],
  });
  const finished = tallied({
    registers,
    name: 'oblivious_calls_total',
    help: 'Relayed calls that ended.',
    labelNames: ['route', 'model', 'outcome', 'status'],
  });
  const duration = spread({
    registers,
    name: 'oblivious_call_seconds',
    help: 'How long calls took.',
    labelNames: ['route', 'streamed'],
    buckets: SECONDS,
  });
  const firstByte = spread({
    registers,
    name: 'oblivious_first_byte_seconds',
    help: 'How long streams took to begin.',
    labelNames: ['route'],
    buckets: SECONDS,
  });
  const attempts = tallied({
    registers,
    name: 'oblivious_attempts_total',
    help: 'Calls to upstreams.',
    labelNames: ['channel', 'outcome'],
  });
  const attemptSeconds = spread({
    registers,
    name: 'oblivious_attempt_seconds',
    help: 'How long upstreams took.',
    labelNames: ['channel'],
    buckets: SECONDS,
  });
  const charges = tallied({
    registers,
    name: 'oblivious_charged_nanodollars_total',
    help: 'What was charged.',
    labelNames: ['model', 'basis'],
  });
  const durable = spread({
    registers,
    name: 'oblivious_durable_seconds',
    help: 'How long the log took to make a step of the ledger durable.',
    labelNames: ['step'],
    buckets: DURABLE_SECONDS,
  });

  const lookups = tallied({
    registers,
    name: 'oblivious_directory_lookups_total',
    help: 'Look-ups of keys and users that memory does not hold.',
    labelNames: ['kind', 'outcome'],
  });

  const worked = tallied({
    registers,
    name: 'oblivious_worker_attempts_total',
    help: 'What became of events that workers tried in this process: done, failed (tried again later), or parked.',
    labelNames: ['worker', 'outcome'],
  });

  const sessions = new Gauge({
    registers,
    name: 'oblivious_realtime_sessions',
    help: 'Realtime sessions that are open in this process.',
  });

  const gauge = (name: string, help: string, read: () => number): void =>
    void new Gauge({
      registers,
      name,
      help,
      collect() {
        this.set(read());
      },
    });

  return {
    worked: (worker, outcome) => void worked.of(worker).of(outcome).value++,
    relay: {
      callStarted: (route) => void started.of(route).value++,
      callFinished: ({ route, model, outcome, status, streamed, durationMs, firstByteMs }: FinishedCall) => {
        finished.of(route).of(model).of(outcome).of(status).value++;
        duration
          .of(route)
          .of(String(streamed))
          .observe(durationMs / 1_000);
        if (streamed && firstByteMs !== null) firstByte.of(route).observe(firstByteMs / 1_000);
      },
      attemptFinished: (channel, outcome, durationMs) => {
        attempts.of(channel).of(outcome).value++;
        attemptSeconds.of(channel).observe(durationMs / 1_000);
      },
      sessions: (change) => sessions.inc(change),
      charged: (model, basis, nanoDollars) => {
        charges.of(model).of(basis).value += Number(nanoDollars);
      },
    },
    durable: (step, seconds) => durable.of(step).observe(seconds),
    lookedUp: (kind, outcome) => void lookups.of(kind).of(outcome).value++,
    observeDirectory: (directory) => {
      gauge('oblivious_directory_keys', 'API keys in memory.', () => directory().tokens);
      gauge('oblivious_directory_users', 'Users in memory.', () => directory().users);
    },
    observe: ({ appendQueue, droppedLogLines }) => {
      gauge('oblivious_append_queue_depth', 'Appends that wait for the log.', () => appendQueue().depth);
      gauge('oblivious_append_batches', 'Writes to the log so far.', () => appendQueue().batches);
      gauge('oblivious_append_events', 'Events written to the log so far.', () => appendQueue().events);
      gauge('oblivious_log_lines_dropped', 'Log lines that nobody read in time.', droppedLogLines);
    },
    observeLedger: (ledger) => {
      gauge('oblivious_leases_open', 'Spend leases in the hands of this process.', () => ledger().leases);
      gauge('oblivious_holds_open', 'Calls in flight for which money is held.', () => ledger().holds);
      gauge('oblivious_reservations_waiting', 'Calls that wait for an account to decide.', () => ledger().waiting);
    },
    observeProjections: (projections) => {
      const perProjection = (name: string, help: string, read: (projection: ProjectionStats) => number): void =>
        void new Gauge({
          registers,
          name,
          help,
          labelNames: ['projection'],
          // Every process that may project says the same of the same read models.
          aggregator: 'max',
          collect() {
            for (const projection of projections()) this.set({ projection: projection.name }, read(projection));
          },
        });
      perProjection('oblivious_projection_lag_events', 'Events of the log that a read model has not seen.', ({ lagEvents }) => lagEvents);
      perProjection(
        'oblivious_projection_lag_seconds',
        'Age of the oldest event that a read model has not seen.',
        ({ lagSeconds }) => lagSeconds,
      );
      perProjection('oblivious_projection_parked', 'Events that a projector could not apply.', ({ parked }) => parked);
    },
    observeWorkers: (workers) => {
      const perWorker = (name: string, help: string, read: (worker: WorkerStats) => number): void =>
        void new Gauge({
          registers,
          name,
          help,
          labelNames: ['worker'],
          aggregator: 'max',
          collect() {
            for (const worker of workers()) this.set({ worker: worker.name }, read(worker));
          },
        });
      perWorker('oblivious_worker_lag_events', 'Events of the log that a worker has not been given.', ({ lagEvents }) => lagEvents);
      perWorker(
        'oblivious_worker_lag_seconds',
        'Age of the oldest event that a worker has neither done nor parked.',
        ({ lagSeconds }) => lagSeconds,
      );
      perWorker('oblivious_worker_waiting', 'Events that a worker has yet to do, or to try again.', ({ waiting }) => waiting);
      perWorker('oblivious_worker_parked', 'Events that a worker has given up.', ({ parked }) => parked);
    },
    registry,
    contentType: registry.contentType,
    render: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
  };
};

/** What `/metrics` shows for several processes together: sums, but for what says that it is the same in all of them. */
export const renderTogether = (snapshots: readonly MetricSnapshot[]): Promise<string> =>
  AggregatorRegistry.aggregate([...snapshots]).metrics();
