import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { lease, leaseStream, type Lease } from '../../domain/ledger/lease.ts';
import { isRefusal } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/event-envelope.ts';
import type { LeaseEvent } from '../../schemas/events/catalogue.ts';
import type { CommandId, LeaseId, TokenId, UserId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import { orLogUnavailable } from '../log-unavailable.ts';
import type { Appender } from '../ports/appender.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import { newEvents } from '../run-command.ts';
import type { AccountBook } from './account-book.ts';

/** A lease that no settlement has been seen of. May be stale: the log is asked before anything is done. */
export interface UnsettledLease {
  readonly leaseId: LeaseId;
  readonly userId: UserId;
  readonly tokenId: TokenId;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

export interface SweepReport {
  /** Leases closed because their holder was silent past its time. */
  readonly closed: number;
  /** Leases that had been closed by their holder but not settled. */
  readonly settled: number;
  /** Calls that were running when their holder died: nothing was charged, and an upstream may have billed us. */
  readonly releasedHolds: number;
  /** Leases left alone: their holder lives, or the log could not be written. */
  readonly left: number;
}

export interface LeaseSweeperOptions {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly appender: Appender;
  readonly book: AccountBook;
  readonly clock: Clock;
  readonly sweeper: string;
}

/** A holder may have died with thousands of calls in flight; the log takes a thousand events in one append. */
const EVENTS_PER_APPEND = 500;

type Swept = { readonly outcome: 'closed' | 'settled'; readonly releasedHolds: number } | { readonly outcome: 'left' };

/**
 * Ends what dead holders left behind. The expected revision is the fence: if the holder was only slow, either its append or
 * ours goes first, and the other one is refused. Two sweepers at once do the same work twice and the account counts it once.
 */
export class LeaseSweeper {
  readonly #options: LeaseSweeperOptions;

  constructor(options: LeaseSweeperOptions) {
    this.#options = options;
  }

  /**
   * Sweeps those of `unsettled` that are past their time. With `holdersAreDead`, all of them: for a start that has made sure
   * that it is alone on its data.
   *
   * @throws AggregateError once all have been tried, with what broke: one lease that cannot be read holds up no other.
   */
  async sweep(unsettled: Iterable<UnsettledLease>, { holdersAreDead = false } = {}): Promise<SweepReport> {
    const report = { closed: 0, settled: 0, releasedHolds: 0, left: 0 };
    const broken: unknown[] = [];
    const now = this.#options.clock.now();
    for (const candidate of unsettled) {
      if (!holdersAreDead && candidate.expiresAt > now) continue;
      try {
        const answer = await orLogUnavailable(this.#sweepOne(candidate, holdersAreDead ? null : now));
        const swept: Swept = isRefusal(answer) ? { outcome: 'left' } : answer;
        report[swept.outcome]++;
        if (swept.outcome !== 'left') report.releasedHolds += swept.releasedHolds;
      } catch (error) {
        broken.push(new Error(`lease ${candidate.leaseId} could not be swept`, { cause: error }));
      }
    }
    if (broken.length > 0) throw new AggregateError(broken, `${broken.length} leases could not be swept`);
    return report;
  }

  async #sweepOne(candidate: UnsettledLease, now: number | null): Promise<Swept> {
    const { leaseId, userId, tokenId } = candidate;
    const { appender, book } = this.#options;
    const { state, revision } = await this.#read(leaseId);
    if (now !== null && state.extendedUntil !== null && Date.parse(state.extendedUntil) > now) return { outcome: 'left' };

    if (!state.closed) {
      const releases = [...state.holds].map(([requestId, { model }]): LeaseEvent => ({
        type: 'QuotaReleased',
        data: { leaseId, userId, tokenId, requestId, model, reason: 'holder_lost', reconcile: true },
      }));
      const events: readonly LeaseEvent[] = [
        ...releases,
        { type: 'LeaseClosed', data: { leaseId, userId, tokenId, spent: state.spent, reason: 'holder_lost' } },
      ];
      let expectedRevision = revision;
      for (let from = 0; from < events.length; from += EVENTS_PER_APPEND) {
        const step = newEvents(events.slice(from, from + EVENTS_PER_APPEND), this.#context(userId, leaseId, `sweep-${expectedRevision}`));
        const outcome = await appender.append({ stream: leaseStream(leaseId), expectedRevision, events: step });
        if (outcome.outcome !== 'appended') return { outcome: 'left' };
        expectedRevision = outcome.revision;
      }
    }
    for (const { requestId, model, amount } of state.overdrafts) {
      const recorded = await book.execute(
        userId,
        { kind: 'recordOverdraft', leaseId, tokenId, requestId, model, amount },
        this.#context(userId, requestId, 'overdraft'),
      );
      if (isRefusal(recorded)) return { outcome: 'left' };
    }
    const settled = await book.execute(
      userId,
      { kind: 'settleLease', leaseId, spent: state.spent },
      this.#context(userId, leaseId, 'settle'),
    );
    if (isRefusal(settled)) return { outcome: 'left' };
    return { outcome: state.closed ? 'settled' : 'closed', releasedHolds: state.holds.size };
  }

  async #read(leaseId: LeaseId): Promise<{ state: Lease; revision: Revision | 'no_stream' }> {
    let state: Lease = lease.initial;
    let revision: Revision | 'no_stream' = 'no_stream';
    for await (const recorded of this.#options.log.readStream(leaseStream(leaseId))) {
      state = lease.evolve(state, decodeEvent(recorded) as LeaseEvent);
      revision = recorded.revision;
    }
    return { state, revision };
  }

  /** Command ids are the holder's own where the event would be the same, so that both writing it is one event. */
  #context(userId: UserId, subject: string, step: string): CommandContext {
    return {
      commandId: `${subject}:${step}` as CommandId,
      correlationId: subject,
      causationId: subject,
      actor: { kind: 'system', id: this.#options.sweeper },
      tenant: userId,
      occurredAt: new Date(this.#options.clock.now()).toISOString(),
    };
  }
}
