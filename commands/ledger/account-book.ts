import { accountOf, accountStream, type Account, type AccountCommand } from '../../domain/ledger/account.ts';
import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position, Revision } from '../../schemas/event-envelope.ts';
import type { AccountEvent } from '../../schemas/events/catalogue.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import { orLogUnavailable } from '../log-unavailable.ts';
import type { Appender } from '../ports/appender.ts';
import type { EventLog } from '../ports/event-log.ts';
import { digestOf, newEvents, refusalOf } from '../run-command.ts';

/** Many processes may ask one account at once; each loser reads what it missed and decides anew. */
const CONFLICT_RETRIES = 50;

/** What these do is recognised by the id of a lease, not of the command: when they have nothing to do, no earlier answer needs to be looked for. */
const KNOWN_BY_LEASE: ReadonlySet<AccountCommand['kind']> = new Set(['grantSpendLease', 'settleLease', 'requestLeaseReturns']);

/** What is asked for. Where a charge counted is read from the charge, and was no part of a refund's digest in older logs. */
const payloadOf = (command: AccountCommand): object => {
  if (command.kind !== 'refundCharge') return command;
  const { counted: _, ...asked } = command;
  return asked;
};

export interface AccountAnswer {
  readonly account: Account;
  readonly revision: Revision | 'no_stream';
  readonly events: readonly AccountEvent[];
  /** Where the command's events are in the log; `null` when it changed nothing. */
  readonly position: Position | null;
}

interface Page {
  state: Account;
  revision: Revision | 'no_stream';
  /** Commands on one account take turns inside a process: racing oneself would only make conflicts. */
  turn: Promise<unknown>;
}

/**
 * Runs commands on account streams, keeping the fold of recently used accounts in memory so that a decision costs one
 * append and no read. What it keeps is never trusted: every append carries the revision that it was decided on.
 */
export class AccountBook {
  readonly #pages = new Map<UserId, Page>();
  readonly #log: Pick<EventLog, 'readStream'>;
  readonly #appender: Appender;
  readonly #capacity: number;

  constructor(log: Pick<EventLog, 'readStream'>, appender: Appender, capacity = 50_000) {
    this.#log = log;
    this.#appender = appender;
    this.#capacity = capacity;
  }

  /** Decides and appends. A command id that was used before is answered as the first time, or refused if its payload differs. */
  execute(userId: UserId, command: AccountCommand, context: CommandContext): Promise<AccountAnswer | Refusal> {
    return this.#takeTurn(userId, (page, fresh) => orLogUnavailable(this.#execute(userId, page, fresh, command, context)));
  }

  /** The account as the log has it now. */
  read(userId: UserId): Promise<AccountAnswer | Refusal> {
    return this.#takeTurn(userId, (page) => orLogUnavailable(this.#read(userId, page)));
  }

  async #read(userId: UserId, page: Page): Promise<AccountAnswer> {
    await this.#catchUp(userId, page);
    return { account: page.state, revision: page.revision, events: [], position: null };
  }

  async #takeTurn<Result>(userId: UserId, work: (page: Page, fresh: boolean) => Promise<Result>): Promise<Result> {
    let page = this.#pages.get(userId);
    const fresh = page === undefined;
    if (page === undefined) {
      page = { state: accountOf(userId).initial, revision: 'no_stream', turn: Promise.resolve() };
      this.#evictOldest();
    } else {
      this.#pages.delete(userId);
    }
    this.#pages.set(userId, page);
    const kept = page;
    const result = kept.turn.then(() => work(kept, fresh));
    kept.turn = result.catch(() => undefined);
    return result;
  }

  #evictOldest(): void {
    if (this.#pages.size < this.#capacity) return;
    const oldest = this.#pages.keys().next();
    if (!oldest.done) this.#pages.delete(oldest.value);
  }

  async #catchUp(userId: UserId, page: Page): Promise<void> {
    const { evolve } = accountOf(userId);
    for await (const recorded of this.#log.readStream(accountStream(userId), {
      from: page.revision === 'no_stream' ? 0 : page.revision + 1,
    })) {
      page.state = evolve(page.state, decodeEvent(recorded) as AccountEvent);
      page.revision = recorded.revision;
    }
  }

  async #execute(
    userId: UserId,
    page: Page,
    fresh: boolean,
    command: AccountCommand,
    context: CommandContext,
  ): Promise<AccountAnswer | Refusal> {
    const decider = accountOf(userId);
    const payloadDigest = digestOf(payloadOf(command));
    // A refusal from memory may be a refusal of yesterday's balance: before it is believed, the log is asked once.
    let current = false;
    if (fresh) {
      await this.#catchUp(userId, page);
      current = true;
    }
    for (let tries = 0; tries <= CONFLICT_RETRIES; tries++) {
      const decided = decider.decide(command, page.state);
      if ((isRefusal(decided) || decided.length === 0) && !current) {
        await this.#catchUp(userId, page);
        current = true;
        continue;
      }
      if (isRefusal(decided) || decided.length === 0) {
        const earlier = KNOWN_BY_LEASE.has(command.kind) ? null : await this.#earlierAnswer(userId, page, context, payloadDigest);
        if (earlier !== null) return earlier;
        return isRefusal(decided) ? decided : { account: page.state, revision: page.revision, events: [], position: null };
      }

      const outcome = await this.#appender.append({
        stream: accountStream(userId),
        expectedRevision: page.revision,
        events: newEvents(decided, context, payloadDigest),
      });
      if (outcome.outcome === 'conflict') {
        await this.#catchUp(userId, page);
        current = true;
        continue;
      }
      if (outcome.outcome !== 'appended') return refusalOf(outcome);
      if (outcome.repeated) {
        await this.#catchUp(userId, page);
        return (await this.#earlierAnswer(userId, page, context, payloadDigest)) ?? refuse('conflict');
      }
      page.state = decided.reduce(decider.evolve, page.state);
      page.revision = outcome.revision;
      return { account: page.state, revision: outcome.revision, events: decided, position: outcome.position };
    }
    return refuse('conflict', 'The account is too busy to decide; try again.');
  }

  /** What this command id was answered with before, if it was. Reads the stream: only for commands that did not go through plainly. */
  async #earlierAnswer(
    userId: UserId,
    page: Page,
    context: CommandContext,
    payloadDigest: string,
  ): Promise<AccountAnswer | Refusal | null> {
    const events: AccountEvent[] = [];
    let position: Position | null = null;
    for await (const recorded of this.#log.readStream(accountStream(userId))) {
      if (recorded.metadata.commandId !== context.commandId) continue;
      if (recorded.metadata.payloadDigest !== payloadDigest) return refuse('idempotency_conflict');
      events.push(decodeEvent(recorded) as AccountEvent);
      position = recorded.position;
    }
    return position === null ? null : { account: page.state, revision: page.revision, events, position };
  }
}
