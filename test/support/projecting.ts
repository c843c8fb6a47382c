import { PositionBoard } from '../../projections/engine/position-board.ts';
import type { ProjectorPolicy } from '../../projections/engine/projector-policy.ts';
import type { ProjectorReport, ProjectorState } from '../../projections/engine/projector-report.ts';
import { Projector } from '../../projections/engine/projector.ts';
import type { Projection } from '../../projections/engine/projection.ts';
import type { EventFeed } from '../../projections/ports/event-feed.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import { projections as registered } from '../../projections/registry.ts';
import type { Position } from '../../schemas/event-envelope.ts';

export const wallClock = { now: (): number => Date.now() };

/** Long enough for a busy machine; no test waits for it unless it fails. */
const LONG_MS = 45_000;

export interface ProjectingOptions {
  readonly feed: EventFeed;
  readonly database: ReadModelDatabase;
  readonly projections?: readonly Projection[];
  readonly policy?: Partial<ProjectorPolicy>;
}

/** A projector at work, for tests. */
export interface Projecting {
  readonly board: PositionBoard;
  readonly reports: readonly ProjectorReport[];
  readonly state: () => ProjectorState;
  /** Resolves once everything up to the position, or to the end of the log, is shown. */
  caughtUp(position?: Position): Promise<void>;
  /** Resolves with the first report, of those so far and those to come, that fits. */
  reported<Kind extends ProjectorReport['kind']>(
    kind: Kind,
    fits?: (report: Extract<ProjectorReport, { kind: Kind }>) => boolean,
  ): Promise<Extract<ProjectorReport, { kind: Kind }>>;
  stop(): Promise<void>;
}

export const startProjecting = ({ feed, database, projections = registered, policy = {} }: ProjectingOptions): Projecting => {
  const board = new PositionBoard({ database, projections, pollMs: 5 });
  const reports: ProjectorReport[] = [];
  const listeners = new Set<() => void>();
  const waits = new Set<NodeJS.Timeout>();
  const projector = new Projector({
    feed,
    database,
    projections,
    board,
    clock: wallClock,
    policy: { lingerMs: 0, retryMs: 1, longestPauseMs: 100, ...policy },
    report: (report) => {
      reports.push(report);
      for (const listener of [...listeners]) listener();
    },
  });
  const abort = new AbortController();
  const running = projector.run(abort.signal);
  return {
    board,
    reports,
    state: () => projector.state,
    caughtUp: async (position) => {
      const goal = position ?? (await feed.head());
      if (!(await board.waitFor('all', goal, LONG_MS)))
        throw new Error(
          `position ${goal} was not reached; ${JSON.stringify(reports, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value instanceof Error ? value.stack : value))}`,
        );
    },
    reported: (kind, fits = () => true) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no report of kind ${kind} came`)), LONG_MS);
        waits.add(timer);
        const look = (): void => {
          const found = reports.find(
            (report): report is Extract<ProjectorReport, { kind: typeof kind }> =>
              report.kind === kind && fits(report as Extract<ProjectorReport, { kind: typeof kind }>),
          );
          if (found === undefined) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      }),
    stop: async () => {
      abort.abort();
      await running;
      // A test that waited for the first of two reports no longer waits for the second.
      for (const timer of waits) clearTimeout(timer);
    },
  };
};

/** Projects all there is in the log and stops. */
export const projectAll = async (options: ProjectingOptions): Promise<void> => {
  const projecting = startProjecting(options);
  try {
    await projecting.caughtUp();
  } finally {
    await projecting.stop();
  }
};
