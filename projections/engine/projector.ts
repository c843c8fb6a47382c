import { setTimeout as pause } from 'node:timers/promises';
import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { Leadership, ProjectingRight, ReadModelDatabase } from '../ports/read-model-database.ts';
import { CheckpointMoved } from './checkpoint.ts';
import { Commits } from './commits.ts';
import { FeedQueue } from './feed-queue.ts';
import { LiveBatch } from './live-batch.ts';
import { latest, type Member } from './member.ts';
import type { PositionBoard } from './position-board.ts';
import { prepareMembers } from './prepare-members.ts';
import type { Projection } from './projection.ts';
import { DEFAULT_PROJECTOR_POLICY, type ProjectorPolicy } from './projector-policy.ts';
import type { ProjectorReport, ProjectorState } from './projector-report.ts';

export interface ProjectorOptions {
  readonly feed: EventFeed;
  readonly database: ReadModelDatabase;
  readonly projections: readonly Projection[];
  readonly board: PositionBoard;
  readonly clock: Clock;
  readonly policy?: Partial<ProjectorPolicy>;
  readonly report?: (report: ProjectorReport) => void;
  /** Which right to project has to be held; that of all projections unless given. */
  readonly right?: ProjectingRight;
}

const PROGRESS_EVERY_MS = 500;

/** Gathered together: few enough to hold nobody up and to be new, and so many that what gathers them is not called for again from cold. */
const GATHERED_AT_ONCE = 250;

/** A bundle of so many events says that they keep coming. */
const BUSY_EVENTS = 4;

/**
 * Keeps the read models current: in one process per database, in one transaction per batch for all projections that stand
 * at the same place. A projection that is behind catches up by itself and then joins the others.
 */
export class Projector {
  readonly #options: ProjectorOptions;
  readonly #policy: ProjectorPolicy;
  #state: ProjectorState = 'stopped';

  constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#policy = { ...DEFAULT_PROJECTOR_POLICY, ...options.policy };
  }

  get state(): ProjectorState {
    return this.#state;
  }

  /** Projects, or stands by, until the signal aborts; then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      this.#enter('standby');
      const began = this.#options.clock.now();
      let leadership: Leadership | null = null;
      try {
        leadership = await this.#options.database.lead(signal, this.#options.right);
        if (leadership === null) break;
        await this.#lead(leadership, signal);
      } catch (error) {
        if (signal.aborted) break;
        failures = this.#options.clock.now() - began > this.#policy.longestPauseMs ? 1 : failures + 1;
        this.#report({
          kind: 'interrupted',
          fenced: error instanceof CheckpointMoved,
          error: error instanceof Error ? error : new Error(String(error)),
        });
        this.#enter('waiting');
      } finally {
        this.#options.board.projectsHere(this.#options.projections, false);
        await leadership?.release();
      }
      if (this.#state === 'waiting') await this.#pauseAfter(failures, signal);
    }
    this.#enter('stopped');
  }

  async #pauseAfter(failures: number, signal: AbortSignal): Promise<void> {
    const milliseconds = Math.min(this.#policy.longestPauseMs, 50 * 2 ** Math.min(failures, 16));
    await pause(milliseconds, undefined, { signal }).catch(() => undefined);
  }

  async #lead(leadership: Leadership, signal: AbortSignal): Promise<void> {
    this.#enter('starting');
    const { feed, projections, right } = this.#options;
    const report = (said: ProjectorReport): void => this.#report(said);
    const members = await prepareMembers(leadership.transaction, { feed, projections, right, report });
    const commits = new Commits({ leadership, feed, policy: this.#policy, report });
    const work = new AbortController();
    const until = AbortSignal.any([signal, leadership.lost, work.signal]);
    const place = latest(members);
    const group: Member[] = members.filter(({ position }) => position === place);
    const joining: Member[] = [];
    this.#options.board.projectsHere(this.#options.projections, true);
    for (const { projection, position } of members) this.#options.board.advance([projection], position);

    const queue = new FeedQueue(this.#options.feed, place, () => this.#options.board.isAwaited);
    const wake = (): void => queue.wake();
    until.addEventListener('abort', wake);
    this.#options.board.onAwaited(wake);
    let failure: unknown = null;
    const chases = members
      .filter((member) => !group.includes(member))
      .map(async (member) => {
        try {
          await this.#chase(commits, member, () => latest(group), until);
          joining.push(member);
          queue.wake();
        } catch (error) {
          failure ??= error;
          work.abort();
        }
      });
    try {
      await this.#follow(commits, queue, group, joining, until);
    } finally {
      work.abort();
      until.removeEventListener('abort', wake);
      this.#options.board.onAwaited(null);
      await Promise.all([queue.close(), ...chases]);
    }
    if (failure !== null && !signal.aborted) throw failure instanceof Error ? failure : new Error('catching up failed', { cause: failure });
    if (leadership.lost.aborted && !signal.aborted) throw new Error('the right to project was lost');
  }

  /** The live loop. */
  async #follow(commits: Commits, queue: FeedQueue, group: Member[], joining: Member[], until: AbortSignal): Promise<void> {
    const { clock, feed, board } = this.#options;
    const { batchSize, lingerMs, longestLingerMs, storeIdleMs } = this.#policy;
    /** Handed out by the queue; ahead of what is stored when nothing came that anybody wants. */
    let place = latest(group);
    let batch = new LiveBatch(group, place);
    let committedAt = 0;
    let linger = lingerMs;
    let progressAt = 0;
    this.#enter('catching_up');
    while (!until.aborted) {
      if (batch.length === 0 && joining.length > 0) {
        for (const member of joining.splice(0)) {
          await this.#catchUp(commits, member, place, until);
          if (until.aborted) return;
          group.push(member);
        }
        batch = new LiveBatch(group, place);
      }
      if (queue.caughtUp && batch.length === 0 && this.#state === 'catching_up') this.#enter('live');
      if (queue.ready && batch.length < batchSize) {
        const { events, position } = queue.take(batchSize - batch.length);
        await batch.add(events);
        place = position;
        if (batch.length === 0)
          board.advance(
            group.map(({ projection }) => projection),
            position,
          );
      } else if (batch.length === 0) {
        // Whoever came while others were being brought in has waked nobody.
        if (joining.length > 0) continue;
        const isStored = group.every(({ position }) => position === place);
        await queue.wait(isStored ? undefined : storeIdleMs);
        if (queue.ready || isStored || until.aborted) continue;
        await commits.commit(group, [], place);
      }
      if (batch.length === 0) continue;
      const lingerLeft = committedAt + linger - clock.now();
      const mayLinger = this.#state === 'live' && lingerLeft > 0 && lingerLeft <= linger && batch.length < batchSize;
      if (mayLinger && !board.isAwaited && joining.length === 0) {
        if (!queue.ready) await queue.wait(lingerLeft, Math.min(GATHERED_AT_ONCE, batchSize - batch.length));
        if (until.aborted) return;
        continue;
      }
      await commits.commitGathered(group, batch, place);
      committedAt = clock.now();
      linger = batch.length < BUSY_EVENTS ? lingerMs : Math.min(Math.max(longestLingerMs, lingerMs), linger * 2);
      board.advance(
        group.map(({ projection }) => projection),
        place,
      );
      batch = new LiveBatch(group, place);
      if (this.#state === 'catching_up' && clock.now() - progressAt >= PROGRESS_EVERY_MS) {
        progressAt = clock.now();
        this.#report({
          kind: 'progress',
          projections: group.map(({ projection }) => projection.name),
          position: place,
          head: await feed.head(),
        });
      }
    }
  }

  /** Brings a projection that is behind so near to the others that it can join them. */
  async #chase(commits: Commits, member: Member, goal: () => Position, until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const before = goal();
      await this.#catchUp(commits, member, before, until);
      if (goal() === before || goal() - before < BigInt(this.#policy.batchSize)) return;
    }
  }

  async #catchUp(commits: Commits, member: Member, upTo: Position, until: AbortSignal): Promise<void> {
    if (member.position >= upTo) return;
    const { feed, board, clock } = this.#options;
    let events: RecordedEvent[] = [];
    let progressAt = 0;
    const commit = async (position: Position): Promise<void> => {
      await commits.commit([member], events, position);
      board.advance([member.projection], position);
      events = [];
    };
    for await (const event of feed.readAll({ after: member.position, upTo, filter: { types: member.projection.types } })) {
      if (until.aborted) return;
      events.push(event);
      if (events.length < this.#policy.batchSize) continue;
      await commit(event.position);
      if (clock.now() - progressAt < PROGRESS_EVERY_MS) continue;
      progressAt = clock.now();
      this.#report({ kind: 'progress', projections: [member.projection.name], position: event.position, head: upTo });
    }
    if (!until.aborted) await commit(upTo);
  }

  #enter(state: ProjectorState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#report({ kind: 'state', state });
  }

  #report(report: ProjectorReport): void {
    this.#options.report?.(report);
  }
}
