import type { Position } from '../../schemas/event-envelope.ts';
import { START } from '../../schemas/event-envelope.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { readCheckpoints } from './checkpoint.ts';

interface Waiter {
  readonly projections: readonly string[];
  readonly position: Position;
  readonly resolve: () => void;
}

export interface PositionBoardOptions {
  readonly database: Sql;
  /** Name and version of what this program projects. */
  readonly projections: readonly { readonly name: string; readonly version: number }[];
  /** Whom `all` waits for; everybody unless given. What follows Kafka is late when that is, and nobody's own writes are in it. */
  readonly awaited?: readonly { readonly name: string }[];
  /** How often the database is asked when another process projects, in milliseconds. */
  readonly pollMs?: number;
}

/** How far the read models have come, for those who wait to read what they wrote. */
export class PositionBoard {
  readonly #options: PositionBoardOptions;
  readonly #positions = new Map<string, Position>();
  readonly #waiters = new Set<Waiter>();
  #awaited: (() => void) | null = null;
  readonly #here = new Set<string>();
  #polling = false;

  constructor(options: PositionBoardOptions) {
    this.#options = options;
  }

  /** The last position known; it may be further on in the database. */
  positionOf(projection: string): Position {
    return this.#positions.get(projection) ?? START;
  }

  /** Whether somebody in this process waits for what is not shown yet. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  /** Called when somebody begins to wait; `null` for nobody. */
  onAwaited(listener: (() => void) | null): void {
    this.#awaited = listener;
  }

  /** The projector of this process has committed up to here. */
  advance(projections: readonly { readonly name: string }[], position: Position): void {
    for (const { name } of projections) this.#positions.set(name, position);
    for (const waiter of [...this.#waiters]) if (this.#isThere(waiter)) waiter.resolve();
  }

  /** While this process projects them, commits are announced here and the database is not asked. */
  projectsHere(projections: readonly { readonly name: string }[], here: boolean): void {
    for (const { name } of projections) {
      if (here) this.#here.add(name);
      else this.#here.delete(name);
    }
    if (!here) void this.#poll();
  }

  /**
   * Resolves with `true` as soon as the read model, or with `all` every one that is awaited, shows everything up to the position; with `false` after the
   * time limit in milliseconds.
   */
  async waitFor(projection: string, position: Position, timeoutMs: number): Promise<boolean> {
    const { awaited = this.#options.projections } = this.#options;
    const projections = projection === 'all' ? awaited.map(({ name }) => name) : [projection];
    let finish: (seen: boolean) => void = () => undefined;
    const finished = new Promise<boolean>((resolve) => {
      finish = resolve;
    });
    const waiter: Waiter = { projections, position, resolve: () => finish(true) };
    if (this.#isThere(waiter)) return true;
    const timer = setTimeout(() => finish(false), timeoutMs);
    this.#waiters.add(waiter);
    this.#awaited?.();
    void this.#poll();
    try {
      return await finished;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  #isThere({ projections, position }: Waiter): boolean {
    // Where nothing is known there may not even be tables yet, so that not even the start of the log is shown.
    return projections.every((name) => {
      const known = this.#positions.get(name);
      return known !== undefined && known >= position;
    });
  }

  /** Whether somebody waits for what another process projects. */
  get #awaitsOthers(): boolean {
    for (const { projections } of this.#waiters) if (projections.some((name) => !this.#here.has(name))) return true;
    return false;
  }

  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      while (this.#awaitsOthers) {
        await this.#readOnce();
        if (this.#awaitsOthers) await new Promise((resolve) => setTimeout(resolve, this.#options.pollMs ?? 25));
      }
    } finally {
      this.#polling = false;
    }
  }

  async #readOnce(): Promise<void> {
    try {
      const checkpoints = await readCheckpoints(this.#options.database);
      for (const { projection, version, build, position } of checkpoints) {
        if (
          build === 'live' &&
          !this.#here.has(projection) &&
          this.#options.projections.some((known) => known.name === projection && known.version === version)
        )
          this.advance([{ name: projection }], position);
      }
    } catch {
      // Whoever waits runs into the time limit and says so; there is nobody else to tell.
    }
  }
}
