import { setTimeout as pause } from 'node:timers/promises';
import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { Leadership, ProjectingRight, ReadModelDatabase, RunTransaction } from '../ports/read-model-database.ts';
import { contradictionWithLog } from './against-log.ts';
import { applyOneByOne, applyWhole, Batch, PoisonEvent } from './batch.ts';
import { advanceLive, CheckpointMoved, ensureLiveTables, readCheckpoints, type Destination } from './checkpoint.ts';
import { dropReadModels, ENGINE_HISTORY } from './engine-schema.ts';
import { FeedQueue } from './feed-queue.ts';
import { takeBack } from './handing-over.ts';
import { LiveBatch } from './live-batch.ts';
import { migrate } from './migrations.ts';
import { blockedStreams } from './parked-events.ts';
import { KnownPartitions } from './partitions.ts';
import type { PositionBoard } from './position-board.ts';
import type { Projection } from './projection.ts';
import { dropSupersededVersions } from './superseded-versions.ts';
import { ReadModelsUnavailable } from './read-models-unavailable.ts';

/** Times in milliseconds. */
export interface ProjectorPolicy {
  /** Most events in one transaction. */
  readonly batchSize: number;
  /** Least time between two live transactions: the first event after a pause is projected at once, a stream of them in bundles. */
  readonly lingerMs: number;
  /** What that time grows to, doubled by each bundle, while events keep coming and nobody waits for them. */
  readonly longestLingerMs: number;
  /** How often a batch that fails is tried as a whole before its events are tried one by one. */
  readonly attempts: number;
  readonly retryMs: number;
  /** A position that moved without events is stored after this long. */
  readonly storeIdleMs: number;
  /** Longest pause between attempts while the database or the log is away. */
  readonly longestPauseMs: number;
}

export const DEFAULT_PROJECTOR_POLICY: ProjectorPolicy = {
  batchSize: 4_000,
  lingerMs: 50,
  longestLingerMs: 400,
  attempts: 3,
  retryMs: 20,
  storeIdleMs: 250,
  longestPauseMs: 5_000,
};

/**
 * `standby`: another process projects. `waiting`: the database or the log is away, or somebody moved a checkpoint; what was
 * being written was not, and the projector starts again from what is stored.
 */
export type ProjectorState = 'stopped' | 'standby' | 'starting' | 'catching_up' | 'live' | 'waiting';

export type ProjectorReport =
  | { readonly kind: 'state'; readonly state: ProjectorState }
  /** Why it is `waiting`. `fenced`: somebody else moved a checkpoint. */
  | { readonly kind: 'interrupted'; readonly fenced: boolean; readonly error: Error }
  | { readonly kind: 'parked'; readonly poison: PoisonEvent }
  /** The read models cannot have come from this log; they are dropped and made anew. */
  | { readonly kind: 'reset'; readonly reason: string }
  /** They follow Kafka from here on, or the log again. */
  | { readonly kind: 'handed_over' | 'taken_back'; readonly projections: readonly string[] }
  /** While catching up, now and then. */
  | { readonly kind: 'progress'; readonly projections: readonly string[]; readonly position: Position; readonly head: Position };

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

/** A projection while it is being kept current. */
interface Member {
  readonly projection: Projection;
  readonly partitions: KnownPartitions;
  /** As stored. */
  position: Position;
  epoch: bigint;
  blocked: ReadonlySet<string>;
}

const PROGRESS_EVERY_MS = 500;

/** Gathered together: few enough to hold nobody up and to be new, and so many that what gathers them is not called for again from cold. */
const GATHERED_AT_ONCE = 250;

/** A bundle of so many events says that they keep coming. */
const BUSY_EVENTS = 4;

const latest = (members: readonly Member[]): Position =>
  members.reduce((last, { position }) => (position > last ? position : last), 0n as Position);

const destination = (position: Position, events: readonly RecordedEvent[]): Destination => {
  const last = events.at(-1);
  return { position, event: last === undefined ? null : { position: last.position, eventId: last.eventId } };
};

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
    const members = await this.#prepare(leadership);
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
          await this.#chase(leadership, member, () => latest(group), until);
          joining.push(member);
          queue.wake();
        } catch (error) {
          failure ??= error;
          work.abort();
        }
      });
    try {
      await this.#follow(leadership, queue, group, joining, until);
    } finally {
      work.abort();
      until.removeEventListener('abort', wake);
      this.#options.board.onAwaited(null);
      await Promise.all([queue.close(), ...chases]);
    }
    if (failure !== null && !signal.aborted) throw failure instanceof Error ? failure : new Error('catching up failed', { cause: failure });
    if (leadership.lost.aborted && !signal.aborted) throw new Error('the right to project was lost');
  }

  /** Tables, checkpoints, and the proof that they belong to this log. */
  async #prepare({ transaction }: Leadership): Promise<Member[]> {
    const { feed, projections } = this.#options;
    const make = () =>
      transaction(
        async (tx) => {
          await migrate(tx, ENGINE_HISTORY);
          await dropSupersededVersions(tx, projections);
          await ensureLiveTables(tx, projections);
        },
        { patient: true },
      );
    await make();
    if (this.#options.right !== 'until_handed_over') await this.#takeBack(transaction);
    const contradiction = await transaction((tx) => contradictionWithLog(tx, feed, projections), { snapshot: true, patient: true });
    if (contradiction !== null) {
      this.#report({ kind: 'reset', reason: contradiction });
      await transaction(dropReadModels, { patient: true });
      await make();
    }
    return transaction(async (tx) => {
      const checkpoints = await readCheckpoints(tx);
      const members: Member[] = [];
      for (const projection of projections) {
        const checkpoint = checkpoints.find(
          ({ projection: name, version, build }) => build === 'live' && name === projection.name && version === projection.version,
        );
        if (checkpoint === undefined || checkpoint.handedOver !== null) throw new CheckpointMoved([projection.name]);
        members.push({
          projection,
          partitions: new KnownPartitions(projection, 'live'),
          position: checkpoint.position,
          epoch: checkpoint.epoch,
          blocked: await blockedStreams(tx, projection),
        });
      }
      return members;
    });
  }

  /** Nobody reads from Kafka for these any more, or not yet. */
  async #takeBack(transaction: RunTransaction): Promise<void> {
    for (const projection of this.#options.projections) {
      const poison = await transaction((tx) => takeBack(tx, this.#options.feed, projection), { patient: true });
      if (poison === null) continue;
      this.#report({ kind: 'taken_back', projections: [projection.name] });
      for (const found of poison) this.#report({ kind: 'parked', poison: found });
    }
  }

  /** The live loop. */
  async #follow(leadership: Leadership, queue: FeedQueue, group: Member[], joining: Member[], until: AbortSignal): Promise<void> {
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
          await this.#catchUp(leadership, member, place, until);
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
        await this.#commit(leadership, group, [], place);
      }
      if (batch.length === 0) continue;
      const lingerLeft = committedAt + linger - clock.now();
      const mayLinger = this.#state === 'live' && lingerLeft > 0 && lingerLeft <= linger && batch.length < batchSize;
      if (mayLinger && !board.isAwaited && joining.length === 0) {
        if (!queue.ready) await queue.wait(lingerLeft, Math.min(GATHERED_AT_ONCE, batchSize - batch.length));
        if (until.aborted) return;
        continue;
      }
      await this.#commitGathered(leadership, group, batch, place);
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
  async #chase(leadership: Leadership, member: Member, goal: () => Position, until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const before = goal();
      await this.#catchUp(leadership, member, before, until);
      if (goal() === before || goal() - before < BigInt(this.#policy.batchSize)) return;
    }
  }

  async #catchUp(leadership: Leadership, member: Member, upTo: Position, until: AbortSignal): Promise<void> {
    if (member.position >= upTo) return;
    const { feed, board, clock } = this.#options;
    let events: RecordedEvent[] = [];
    let progressAt = 0;
    const commit = async (position: Position): Promise<void> => {
      await this.#commit(leadership, [member], events, position);
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

  /** As {@link #commit}, with what was gathered. The events of a batch that fails are read again, and it is gone about as any other. */
  async #commitGathered(leadership: Leadership, members: readonly Member[], batch: LiveBatch, position: Position): Promise<void> {
    if (batch.isFit) {
      try {
        await leadership.transaction(async (tx) => {
          await advanceLive(tx, members, { position, event: batch.event });
          await batch.write(tx);
        });
        for (const member of members) member.position = position;
        return;
      } catch (error) {
        for (const { partitions } of members) partitions.forget();
        if (leadership.lost.aborted || error instanceof ReadModelsUnavailable) throw error;
      }
    }
    const events: RecordedEvent[] = [];
    for await (const event of this.#options.feed.readAll({ after: batch.after, upTo: position })) events.push(event);
    await this.#commit(leadership, members, events, position);
  }

  /**
   * Rows and checkpoints in one transaction. A batch that fails is tried again as a whole, since the fault may pass; what
   * still fails is found event by event and parked.
   */
  async #commit(leadership: Leadership, members: readonly Member[], events: readonly RecordedEvent[], position: Position): Promise<void> {
    const batch = await Batch.of(events);
    const to = destination(position, events);
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt > this.#policy.attempts;
      try {
        await (isLast ? this.#commitOneByOne(leadership, members, batch, to) : this.#commitWhole(leadership, members, batch, to));
        for (const member of members) member.position = position;
        return;
      } catch (error) {
        for (const { partitions } of members) partitions.forget();
        if (error instanceof CheckpointMoved) {
          if (!(await this.#parkingChanged(leadership, members))) throw error;
          continue;
        }
        if (isLast || leadership.lost.aborted || error instanceof ReadModelsUnavailable) throw error;
        if (error instanceof PoisonEvent) attempt = this.#policy.attempts;
        else await pause(this.#policy.retryMs * attempt);
      }
    }
  }

  #commitWhole({ transaction }: Leadership, members: readonly Member[], batch: Batch, to: Destination): Promise<void> {
    return transaction(async (tx) => {
      await advanceLive(tx, members, to);
      for (const member of members) await applyWhole(tx, member, batch, member.blocked);
    });
  }

  async #commitOneByOne({ transaction }: Leadership, members: readonly Member[], batch: Batch, to: Destination): Promise<void> {
    const found = await transaction(async (tx) => {
      await advanceLive(tx, members, to);
      const poison: { readonly member: Member; readonly events: readonly PoisonEvent[] }[] = [];
      for (const member of members) poison.push({ member, events: await applyOneByOne(tx, member, batch, member.blocked) });
      return poison;
    });
    for (const { member, events } of found) {
      if (events.length === 0) continue;
      member.blocked = new Set([...member.blocked, ...events.map(({ event }) => event.stream)]);
      for (const poison of events) this.#report({ kind: 'parked', poison });
    }
  }

  /** Whether all that changed is what is parked. If so the members know it from here on. */
  async #parkingChanged({ transaction }: Leadership, members: readonly Member[]): Promise<boolean> {
    return transaction(async (tx) => {
      const checkpoints = await readCheckpoints(tx);
      const now = members.map((member) =>
        checkpoints.find(
          ({ projection, version, build }) =>
            build === 'live' && projection === member.projection.name && version === member.projection.version,
        ),
      );
      if (now.some((checkpoint, index) => checkpoint?.position !== members[index]?.position || checkpoint?.handedOver !== null))
        return false;
      for (const [index, member] of members.entries()) {
        member.epoch = now[index]?.epoch ?? member.epoch;
        member.blocked = await blockedStreams(tx, member.projection);
      }
      return true;
    });
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
