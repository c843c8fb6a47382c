import { encodeTrusted } from '../../domain/kernel/event-codec.ts';
import { isoInstant } from '../../domain/kernel/iso-instant.ts';
import { leaseStream, type Overdraft } from '../../domain/ledger/lease.ts';
import { ZERO } from '../../domain/ledger/money.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { NewEvent, Revision } from '../../schemas/event-envelope.ts';
import type { EventOf, LeaseEvent } from '../../schemas/events/catalogue.ts';
import type { CommandId, LeaseId, StreamName, TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { deriveEventId } from '../event-id.ts';
import type { Appender } from '../ports/appender.ts';
import type { Clock } from '../ports/clock.ts';
import type { DurableTimes } from '../ports/durable-times.ts';
import { refusalOf } from '../run-command.ts';

/** Most events of one lease that one append carries. */
const EVENTS_PER_APPEND = 500;

/** How long an end of a hold waits before it is sent again when the log was at its limit. */
const BUSY_RETRY_MS = 50;

interface PendingEvent {
  readonly event: NewEvent;
  /** By the clock of {@link DurableTimes}. */
  readonly since: number;
  readonly resolve: (refusal: Refusal | null) => void;
  /** Whoever would rather be refused than wait for a log at its limit is asked here, once it is; true when it is refused. */
  readonly turnAway: (() => boolean) | undefined;
}

export type CloseReason = EventOf<'LeaseClosed'>['data']['reason'];

/**
 * A lease in the hands of the process that holds it. Reserving is arithmetic in memory; what happened is appended to
 * the lease's stream in order, one append in flight at a time, everything that gathers meanwhile in the next. The first
 * append that is refused for its revision means that a sweeper has closed the lease: it is lost, and nothing more is written.
 */
export class HeldLease {
  readonly leaseId: LeaseId;
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly amount: Money;
  readonly grantedAt: number;
  readonly admitsUntil: number;
  expiresAt: number;
  spent: Money = ZERO;
  held: Money = ZERO;
  /** How many reservations have not ended. */
  holds = 0;
  lastUsedAt: number;
  /** Why no further call is admitted, once none is. */
  draining: CloseReason | null = null;
  closing = false;
  lost: Refusal | null = null;
  /** Charges whose upstream billed more than was held, until the account knows of them. */
  overdrafts: readonly Overdraft[] = [];
  readonly #stream: StreamName;
  readonly #appender: Appender;
  readonly #clock: Clock;
  readonly #times: DurableTimes;
  /** The same for all events of the lease. */
  readonly #actor: NewEvent['metadata']['actor'];
  #revision: Revision | 'no_stream' = 'no_stream';
  #pending: PendingEvent[] = [];
  #sending = false;

  constructor(grant: EventOf<'SpendLeaseGranted'>['data'], appender: Appender, clock: Clock, times: DurableTimes) {
    this.leaseId = grant.leaseId;
    this.userId = grant.userId;
    this.tokenId = grant.tokenId;
    this.amount = grant.amount;
    this.admitsUntil = Date.parse(grant.admitsUntil);
    this.expiresAt = Date.parse(grant.expiresAt);
    this.grantedAt = this.lastUsedAt = clock.now();
    this.#stream = leaseStream(grant.leaseId);
    this.#appender = appender;
    this.#clock = clock;
    this.#times = times;
    this.#actor = { kind: 'token', id: grant.tokenId };
    void this.record(
      {
        type: 'LeaseOpened',
        data: { leaseId: grant.leaseId, userId: grant.userId, tokenId: grant.tokenId, amount: grant.amount, day: grant.day },
      },
      grant.leaseId,
      'open',
    );
  }

  get free(): Money {
    return (this.amount - this.spent - this.held) as Money;
  }

  /** Less than a quarter is free: time to have another one. */
  get isLow(): boolean {
    return this.free < this.amount / 4n;
  }

  admits(now: number): boolean {
    return this.draining === null && this.lost === null && now < this.admitsUntil;
  }

  /**
   * Queues an event of this lease; `null` once it is durable. `cause` and `step` name the command: the same two are the same event.
   * An event that is still on its way when the log is at its limit is refused if `turnAway` says so then, and sent again otherwise.
   */
  record(event: LeaseEvent, cause: string, step: string, turnAway?: () => boolean): Promise<Refusal | null> {
    if (this.lost !== null) return Promise.resolve(this.lost);
    return new Promise((resolve) => {
      this.#pending.push({ event: this.#newEvent(event, cause, step), since: this.#times.now(), resolve, turnAway });
      if (this.#sending) return;
      this.#sending = true;
      // What is recorded in the same turn, such as the opening and the first holds, goes out together.
      queueMicrotask(() => void this.#send());
    });
  }

  #newEvent(event: LeaseEvent, cause: string, step: string): NewEvent {
    const commandId = `${cause}:${step}` as CommandId;
    const { type, schemaVersion, data } = encodeTrusted(event);
    return {
      type,
      schemaVersion,
      data,
      eventId: deriveEventId(commandId, 0),
      metadata: {
        correlationId: cause,
        causationId: cause,
        commandId,
        actor: this.#actor,
        tenant: this.userId,
        occurredAt: isoInstant(this.#clock.now()),
      },
    };
  }

  async #send(): Promise<void> {
    let most = EVENTS_PER_APPEND;
    while (this.#pending.length > 0 && this.lost === null) {
      const batch = this.#pending.length <= most ? this.#pending : this.#pending.slice(0, most);
      this.#pending = this.#pending.length <= most ? [] : this.#pending.slice(most);
      const outcome = await this.#appender.append({
        stream: this.#stream,
        expectedRevision: this.#revision,
        events: batch.map(({ event }) => event),
      });
      if (outcome.outcome === 'appended') {
        this.#revision = outcome.revision;
        const now = this.#times.now();
        for (const { event, since, resolve } of batch) {
          this.#times.durable(event.type, now - since);
          resolve(null);
        }
      } else if (outcome.outcome === 'rejected' && outcome.reason === 'log_busy') {
        await this.#yieldToLoad(batch);
      } else if (outcome.outcome === 'rejected' && outcome.reason === 'append_too_large' && batch.length > 1) {
        this.#pending = [...batch, ...this.#pending];
        most = Math.ceil(batch.length / 2);
      } else {
        this.lost = outcome.outcome === 'conflict' ? refuse('lease_lost') : refusalOf(outcome);
        for (const { resolve } of batch) resolve(this.lost);
      }
    }
    this.#sending = false;
    if (this.lost === null) return;
    for (const { resolve } of this.#pending.splice(0)) resolve(this.lost);
  }

  /** The log is at its limit: who has no need to wait is turned away, and what is owed to the log is sent again. */
  async #yieldToLoad(batch: readonly PendingEvent[]): Promise<void> {
    const owed = batch.filter(({ turnAway, resolve }) => {
      if (turnAway?.() !== true) return true;
      resolve(refuse('log_busy'));
      return false;
    });
    this.#pending = [...owed, ...this.#pending];
    await new Promise((resolve) => setTimeout(resolve, BUSY_RETRY_MS));
  }
}
