import { setTimeout as pause } from 'node:timers/promises';
import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { Leadership } from '../ports/read-model-database.ts';
import { applyOneByOne, applyWhole, Batch, PoisonEvent } from './batch.ts';
import { advanceLive, CheckpointMoved, readCheckpoints, type Destination } from './checkpoint.ts';
import type { LiveBatch } from './live-batch.ts';
import type { Member } from './member.ts';
import { blockedStreams } from './parked-events.ts';
import type { ProjectorPolicy } from './projector-policy.ts';
import type { ProjectorReport } from './projector-report.ts';
import { ReadModelsUnavailable } from './read-models-unavailable.ts';

const destination = (position: Position, events: readonly RecordedEvent[]): Destination => {
  const last = events.at(-1);
  return { position, event: last === undefined ? null : { position: last.position, eventId: last.eventId } };
};

export interface CommitsOptions {
  readonly leadership: Leadership;
  readonly feed: EventFeed;
  readonly policy: ProjectorPolicy;
  readonly report: (report: ProjectorReport) => void;
}

/** Writes what projections make of events: rows and checkpoints in one transaction, whatever becomes of single events. */
export class Commits {
  readonly #leadership: Leadership;
  readonly #feed: EventFeed;
  readonly #policy: ProjectorPolicy;
  readonly #report: (report: ProjectorReport) => void;

  constructor({ leadership, feed, policy, report }: CommitsOptions) {
    this.#leadership = leadership;
    this.#feed = feed;
    this.#policy = policy;
    this.#report = report;
  }

  /** As {@link commit}, with what was gathered. The events of a batch that fails are read again, and it is gone about as any other. */
  async commitGathered(members: readonly Member[], batch: LiveBatch, position: Position): Promise<void> {
    if (batch.isFit) {
      try {
        await this.#leadership.transaction(async (tx) => {
          await advanceLive(tx, members, { position, event: batch.event });
          await batch.write(tx);
        });
        for (const member of members) member.position = position;
        return;
      } catch (error) {
        for (const { partitions } of members) partitions.forget();
        if (this.#leadership.lost.aborted || error instanceof ReadModelsUnavailable) throw error;
      }
    }
    const events: RecordedEvent[] = [];
    for await (const event of this.#feed.readAll({ after: batch.after, upTo: position })) events.push(event);
    await this.commit(members, events, position);
  }

  /**
   * Rows and checkpoints in one transaction. A batch that fails is tried again as a whole, since the fault may pass; what
   * still fails is found event by event and parked.
   */
  async commit(members: readonly Member[], events: readonly RecordedEvent[], position: Position): Promise<void> {
    const batch = await Batch.of(events);
    const to = destination(position, events);
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt > this.#policy.attempts;
      try {
        await (isLast ? this.#commitOneByOne(members, batch, to) : this.#commitWhole(members, batch, to));
        for (const member of members) member.position = position;
        return;
      } catch (error) {
        for (const { partitions } of members) partitions.forget();
        if (error instanceof CheckpointMoved) {
          if (!(await this.#parkingChanged(members))) throw error;
          continue;
        }
        if (isLast || this.#leadership.lost.aborted || error instanceof ReadModelsUnavailable) throw error;
        if (error instanceof PoisonEvent) attempt = this.#policy.attempts;
        else await pause(this.#policy.retryMs * attempt);
      }
    }
  }

  #commitWhole(members: readonly Member[], batch: Batch, to: Destination): Promise<void> {
    return this.#leadership.transaction(async (tx) => {
      await advanceLive(tx, members, to);
      for (const member of members) await applyWhole(tx, member, batch, member.blocked);
    });
  }

  async #commitOneByOne(members: readonly Member[], batch: Batch, to: Destination): Promise<void> {
    const found = await this.#leadership.transaction(async (tx) => {
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
  async #parkingChanged(members: readonly Member[]): Promise<boolean> {
    return this.#leadership.transaction(async (tx) => {
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
}
