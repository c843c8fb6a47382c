import pg from 'pg';
import { readCheckpoints } from '../../projections/engine/checkpoint.ts';
import type { PositionBoard } from '../../projections/engine/position-board.ts';
import { ReadModelsUnavailable } from '../../projections/engine/read-models-unavailable.ts';
import type { Clock } from '../../projections/ports/clock.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { START, type Position } from '../../schemas/event-envelope.ts';

/** Single statements that only read, and the waiting for what they are to show. */
export interface ReadingSide {
  readonly sql: Sql;
  readonly board: Pick<PositionBoard, 'waitFor'>;
}

export type ReplicaReport = { readonly kind: 'away'; readonly error: Error } | { readonly kind: 'behind' } | { readonly kind: 'back' };

export interface ReplicaReadsOptions {
  readonly primary: Sql;
  readonly replica: Sql;
  /** Of the primary. */
  readonly board: Pick<PositionBoard, 'waitFor'>;
  readonly projections: readonly { readonly name: string; readonly version: number }[];
  readonly clock: Clock;
  /** A replica further behind than this, in milliseconds, is not asked. */
  readonly longestLagMs?: number;
  readonly report?: (report: ReplicaReport) => void;
}

const LONGEST_LAG_MS = 10_000;
/** How old what is known of the replica may be; while somebody waits for more, it is asked as often as the second says. */
const LOOK_EVERY_MS = 500;
const LOOK_AGAIN_MS = 50;
/** A replica that failed is left alone for so long. */
const AWAY_MS = 5_000;
/** A minute of looks at the most frequent. */
const MOST_LOOKS = 1_200;

/** `query_canceled`: the statement takes too long, there as here. */
const CANCELED = '57014';

/** The primary as it was at one moment. */
interface Look {
  readonly at: number;
  readonly position: Position;
}

/** How far the read model that is furthest behind has come. */
const leastPosition = async (sql: Sql, projections: ReplicaReadsOptions['projections']): Promise<Position> => {
  const checkpoints = await readCheckpoints(sql);
  let least: Position | null = null;
  for (const { name, version } of projections) {
    const position =
      checkpoints.find((found) => found.build === 'live' && found.projection === name && found.version === version)?.position ?? START;
    if (least === null || position < least) least = position;
  }
  return least ?? START;
};

class Replica {
  readonly #options: ReplicaReadsOptions;
  /** Somebody in this process was told that everything up to here is shown. From then on nobody is shown less. */
  #promised: Position = START;
  #shown: Position = START;
  #freshAt = -Infinity;
  #looks: Look[] = [];
  #lookedAt = -Infinity;
  #awayUntil = -Infinity;
  #looking: Promise<void> | null = null;
  #state: 'used' | 'away' | 'behind' = 'used';

  constructor(options: ReplicaReadsOptions) {
    this.#options = options;
  }

  promise(position: Position): void {
    if (position > this.#promised) this.#promised = position;
  }

  /** Whether it shows what anybody may ask for now. */
  async isFit(): Promise<boolean> {
    const { clock, longestLagMs = LONGEST_LAG_MS } = this.#options;
    if (clock.now() < this.#awayUntil) return false;
    const promised = this.#promised;
    const due = this.#lookedAt + (this.#shown < promised ? LOOK_AGAIN_MS : LOOK_EVERY_MS);
    if (clock.now() >= due) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = null;
      });
      await this.#looking;
    }
    if (clock.now() < this.#awayUntil) return false;
    const near = clock.now() - this.#freshAt <= longestLagMs;
    this.#enter(near ? 'used' : 'behind');
    return near && this.#shown >= promised;
  }

  failed(error: Error): void {
    this.#awayUntil = this.#options.clock.now() + AWAY_MS;
    if (this.#state !== 'away') this.#options.report?.({ kind: 'away', error });
    this.#state = 'away';
  }

  async #look(): Promise<void> {
    const { primary, replica, projections, clock } = this.#options;
    const began = clock.now();
    // While the primary is away there is nothing newer than what is known of it.
    const ahead = await leastPosition(primary, projections).catch(() => null);
    if (ahead !== null) this.#looks.push({ at: began, position: ahead });
    if (this.#looks.length > MOST_LOOKS) this.#looks.shift();
    try {
      this.#shown = await leastPosition(replica, projections);
    } catch (error) {
      this.failed(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const reached = this.#looks.findLastIndex(({ position }) => position <= this.#shown);
    if (reached >= 0) {
      this.#freshAt = this.#looks[reached]?.at ?? this.#freshAt;
      this.#looks = this.#looks.slice(reached);
    }
    this.#lookedAt = clock.now();
  }

  #enter(state: 'used' | 'behind'): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.report?.(state === 'used' ? { kind: 'back' } : { kind: 'behind' });
  }
}

/**
 * Reads from a replica as long as it answers, is near the primary, and shows everything that somebody in this process waited for; from the
 * primary otherwise.
 */
export const replicaReads = (options: ReplicaReadsOptions): ReadingSide => {
  const replica = new Replica(options);
  return {
    sql: {
      query: async (text, values) => {
        if (await replica.isFit()) {
          try {
            return await options.replica.query(text, values);
          } catch (error) {
            if (!(error instanceof ReadModelsUnavailable)) throw error;
            if (error.cause instanceof pg.DatabaseError && error.cause.code === CANCELED) throw error;
            replica.failed(error);
          }
        }
        return options.primary.query(text, values);
      },
    },
    board: {
      waitFor: async (projection, position, timeoutMs) => {
        const shown = await options.board.waitFor(projection, position, timeoutMs);
        if (shown) replica.promise(position);
        return shown;
      },
    },
  };
};
