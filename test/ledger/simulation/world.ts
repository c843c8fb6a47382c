import { setImmediate as nextTurn } from 'node:timers/promises';
import { createAppendQueue } from '../../../commands/append-queue.ts';
import type { Appender } from '../../../commands/ports/appender.ts';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { AccountBook } from '../../../commands/ledger/account-book.ts';
import type { Hold } from '../../../commands/ledger/hold.ts';
import { LeaseKeeper } from '../../../commands/ledger/lease-keeper.ts';
import type { LeasePolicy } from '../../../commands/ledger/lease-policy.ts';
import { LeaseSweeper, type UnsettledLease } from '../../../commands/ledger/lease-sweeper.ts';
import { refundCharge } from '../../../commands/ledger/refund-charge.ts';
import type { CommandContext } from '../../../commands/command-context.ts';
import { decodeEvent } from '../../../domain/kernel/event-codec.ts';
import type { AccountCommand } from '../../../domain/ledger/account.ts';
import { isRefusal, type ErrorCode, type Refusal } from '../../../schemas/errors.ts';
import type { RecordedEvent } from '../../../schemas/event-envelope.ts';
import type { AccountEvent } from '../../../schemas/events/catalogue.ts';
import { AttemptId, ChannelId, LeaseId, PriceListId, RequestId, TokenId, UserId, type CommandId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { RATIO_ONE } from '../../../schemas/price.ts';
import { LedgerAudit } from '../../support/auditor/ledger-audit.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { plainCall } from '../lease-event-samples.ts';
import { eachOnItsOwn, ScheduledLog, type Fate } from './scheduled-log.ts';

/** Eight seconds before a day of 23 hours begins. */
export const START_TIME = Date.parse('2026-03-28T22:59:52.000Z');
export const TIME_ZONE = 'Europe/Berlin';

/** Short, so that whole lives of leases fit into a run. */
const POLICY: LeasePolicy = {
  admitsForMs: 3_000,
  graceMs: 1_500,
  idleMs: 500,
  returnWaitMs: 50,
  fastMs: 500,
  aheadCeiling: 1_000_000n as Money,
};

const channelId = ChannelId.parse('chn_1');
const priceListId = PriceListId.parse('prl_1');

/** A call as its client and its gateway see it. */
export interface SimulatedCall {
  readonly requestId: RequestId;
  readonly process: SimulatedProcess;
  readonly amount: bigint;
  readonly least: bigint;
  answer: 'waiting' | 'held' | ErrorCode;
  hold: Hold | null;
  durable: 'waiting' | 'durable' | ErrorCode;
  end: 'open' | 'charging' | 'releasing' | 'charged' | 'released' | ErrorCode;
  charged: bigint | null;
}

export interface SimulatedProcess {
  readonly name: string;
  readonly book: AccountBook;
  readonly keeper: LeaseKeeper;
  readonly tokenIds: readonly TokenId[];
  offsetMs: number;
  alive: boolean;
  stopping: boolean;
  stopped: boolean;
  /** How many events of the log this process has been told of. */
  seen: number;
}

type Connection = Appender & Pick<EventLog, 'readStream'>;

const queueOn = (log: Pick<EventLog, 'append'>): Appender => {
  const queue = createAppendQueue(log);
  return { append: (append) => queue.append(append) };
};

/** What the rules say is broken; thrown so that a property shrinks it. */
export class RuleBroken extends Error {}

export interface WorldOptions {
  readonly processes: number;
  readonly keys: number;
  readonly credit: bigint;
  readonly policy?: Partial<LeasePolicy>;
  /** Appends go out through each process's queue, which sends again what got no answer; otherwise every append is on its own. */
  readonly queued?: boolean;
}

/** Gateways, an administrator and a sweeper around one log, with every step in the hands of the test. */
export class World {
  readonly log: ScheduledLog;
  readonly audit = new LedgerAudit();
  readonly calls: SimulatedCall[] = [];
  readonly processes: SimulatedProcess[] = [];
  readonly userId = UserId.parse('usr_1');
  readonly tokenIds: readonly TokenId[];
  readonly #policy: LeasePolicy;
  readonly #adminBook: AccountBook;
  readonly #admin: Connection;
  readonly #queued: boolean;
  readonly #work = new Set<Promise<unknown>>();
  readonly exhaustedKeys = new Set<TokenId>();
  now = START_TIME;
  sweeperOffsetMs = 0;
  #count = 0;
  #audited = 0;
  #broken: string | null = null;

  constructor({ processes, keys, policy, queued = false }: WorldOptions) {
    this.#queued = queued;
    this.log = new ScheduledLog(memoryLog({ now: () => this.now }));
    this.#policy = { ...POLICY, ...policy };
    this.tokenIds = Array.from({ length: keys }, (_, index) => TokenId.parse(`key_${index + 1}`));
    this.#admin = this.#connect('admin');
    this.#adminBook = new AccountBook(this.#admin, this.#admin);
    for (let index = 0; index < processes; index++) this.start();
  }

  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options);
    world.command({ kind: 'openAccount', timeZone: TIME_ZONE });
    await world.calm();
    if (options.credit > 0n) world.command({ kind: 'grantCredit', amount: options.credit as Money, source: 'grant', reason: 'start' });
    await world.calm();
    return world;
  }

  start(): SimulatedProcess {
    const name = `gateway-${++this.#count}`;
    const connection = this.#connect(name);
    const book = new AccountBook(connection, connection, 3);
    const process: SimulatedProcess = {
      name,
      book,
      tokenIds: this.tokenIds,
      offsetMs: 0,
      alive: true,
      stopping: false,
      stopped: false,
      seen: this.log.memory.events.length,
      keeper: new LeaseKeeper({
        book,
        appender: connection,
        clock: { now: () => this.now + process.offsetMs },
        ids: { next: (prefix) => `${prefix}_${name}-${++this.#count}` },
        holder: name,
        policy: this.#policy,
        onKeyExhausted: (tokenId) => void this.exhaustedKeys.add(tokenId),
      }),
    };
    this.processes.push(process);
    return process;
  }

  get living(): readonly SimulatedProcess[] {
    return this.processes.filter(({ alive, stopping }) => alive && !stopping);
  }

  reserve(process: SimulatedProcess, tokenId: TokenId, amount: bigint, least: bigint): SimulatedCall {
    const requestId = RequestId.parse(`req_${++this.#count}`);
    const call: SimulatedCall = {
      requestId,
      process,
      amount,
      least,
      answer: 'waiting',
      hold: null,
      durable: 'waiting',
      end: 'open',
      charged: null,
    };
    this.calls.push(call);
    const answer = process.keeper.reserve({
      requestId,
      userId: this.userId,
      tokenId,
      model: 'm',
      priceListId,
      amount: amount as Money,
      least: least as Money,
    });
    const receive = (received: Hold | Refusal): void => {
      if (isRefusal(received)) {
        call.answer = received.refused;
        return;
      }
      call.answer = 'held';
      call.hold = received;
      if (received.amount > amount || received.amount < least)
        this.#breaks(`${requestId} asked for ${amount}, at least ${least}, and got ${received.amount}`);
      void received.durable.then((refusal) => {
        call.durable = refusal === null ? 'durable' : refusal.refused;
        if (refusal === null && !this.#isLogged('QuotaReserved', requestId))
          this.#breaks(`${requestId} was said to be durably held and is not in the log`);
      });
    };
    if (answer instanceof Promise) void answer.then(receive);
    else receive(answer);
    return call;
  }

  charge(call: SimulatedCall, computed: bigint, upstreamCost = 0n): void {
    const { hold, process, requestId } = call;
    if (hold === null || call.end !== 'open') return;
    call.end = 'charging';
    const charge = {
      channelId,
      attemptId: AttemptId.parse(`att_${requestId.slice(4)}`),
      priceListId,
      groupRatio: RATIO_ONE,
      usage: { input: 1 },
      basis: 'reported',
      computed: computed as Money,
      upstreamCost: upstreamCost as Money,
      call: plainCall,
    } as const;
    void process.keeper.charge(hold, charge).then((answer) => {
      if (isRefusal(answer)) {
        call.end = answer.refused;
        return;
      }
      call.end = 'charged';
      call.charged = answer.amount;
      if (!this.#isLogged('QuotaDebited', requestId)) this.#breaks(`${requestId} was said to be charged and is not in the log`);
    });
  }

  release(call: SimulatedCall): void {
    const { hold, process, requestId } = call;
    if (hold === null || call.end !== 'open') return;
    call.end = 'releasing';
    void process.keeper.release(hold, { reason: 'upstream_failed', reconcile: false, call: plainCall }).then((refusal) => {
      call.end = refusal === null ? 'released' : refusal.refused;
      if (refusal === null && !this.#isLogged('QuotaReleased', requestId))
        this.#breaks(`${requestId} was said to be released and is not in the log`);
    });
  }

  /** A command of the administrator's; what comes of it is in the log. */
  command(command: AccountCommand, commandId = `cmd_${++this.#count}`): void {
    this.#begin(this.#adminBook.execute(this.userId, command, this.#context(commandId)));
  }

  refund(leaseId: string, requestId: string, amount: bigint): void {
    const refund = {
      userId: this.userId,
      leaseId: LeaseId.parse(leaseId),
      requestId: RequestId.parse(requestId),
      amount: amount as Money,
      reason: 'test',
    };
    this.#begin(
      refundCharge({ log: this.#admin, appender: this.#admin, book: this.#adminBook }, refund, this.#context(`cmd_${++this.#count}`)),
    );
  }

  /** Begins a sweep by a process of its own, which sees the list of unsettled leases as it is now. */
  sweep(): void {
    const name = `sweeper-${++this.#count}`;
    const connection = this.#connect(name);
    const sweeper = new LeaseSweeper({
      log: connection,
      appender: connection,
      book: new AccountBook(connection, connection),
      clock: { now: () => this.now + this.sweeperOffsetMs },
      sweeper: name,
    });
    this.#begin(sweeper.sweep(this.audit.unsettled() as readonly UnsettledLease[]));
  }

  /** Asks a process to end in good order. */
  stop(process: SimulatedProcess): void {
    process.stopping = true;
    this.#begin(process.keeper.stop().then(() => void (process.stopped = true)));
  }

  /** Work that was begun and has not ended. */
  get busy(): number {
    return this.#work.size;
  }

  kill(process: SimulatedProcess): void {
    process.alive = false;
    this.log.kill(process.name);
  }

  /** Tells a process what has happened on accounts since it was last told. */
  deliverNews(process: SimulatedProcess): void {
    const { events } = this.log.memory;
    for (; process.seen < events.length; process.seen++) {
      const event = events[process.seen] as RecordedEvent;
      if (process.alive && event.stream.startsWith('account-')) process.keeper.onAccountEvent(decodeEvent(event) as AccountEvent);
    }
  }

  async serve(index: number, fate: Fate): Promise<void> {
    if (this.log.pending === 0) return;
    // Being turned away is the queue's own answer: a log that perhaps has the batch already never gives it.
    await this.log.serve(index % this.log.pending, this.#queued && fate === 'busy' ? 'served' : fate);
    await this.settle();
  }

  /** Lets everything run that needs no answer, and checks the rules over what the log has got. */
  async settle(): Promise<void> {
    // A queue forms its batch a turn after it was given something, and hands out the answers another turn later.
    for (let turns = this.#queued ? 3 : 1; turns > 0; turns--) await nextTurn();
    const { events } = this.log.memory;
    for (; this.#audited < events.length; this.#audited++) this.audit.observe(events[this.#audited] as RecordedEvent);
    if (this.#broken !== null) throw new RuleBroken(this.#broken);
    const [violation] = this.audit.violations;
    if (violation !== undefined) throw new RuleBroken(`rule ${violation.rule}: ${violation.what} (position ${String(violation.position)})`);
  }

  /** Answers whatever is asked, in order and without fault, until nothing is asked any more. */
  async calm(): Promise<void> {
    await this.settle();
    while (this.log.pending > 0) {
      await this.serve(0, 'served');
      for (const process of this.processes) this.deliverNews(process);
    }
  }

  #connect(name: string): Connection {
    const log = this.log.connect(name);
    const { append } = this.#queued ? queueOn(log) : eachOnItsOwn(log);
    return { append, readStream: log.readStream };
  }

  #context(commandId: string): CommandContext {
    return {
      commandId: commandId as CommandId,
      correlationId: commandId,
      causationId: commandId,
      actor: { kind: 'system', id: 'test' },
      tenant: this.userId,
      occurredAt: new Date(this.now).toISOString(),
    };
  }

  #begin(work: Promise<unknown>): void {
    const watched: Promise<void> = work.then(
      () => void this.#work.delete(watched),
      (error: unknown) => this.#breaks(`something was thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    );
    this.#work.add(watched);
  }

  #breaks(what: string): void {
    this.#broken ??= what;
  }

  #isLogged(type: string, requestId: string): boolean {
    return this.log.memory.events.some((event) => event.type === type && event.data['requestId'] === requestId);
  }
}
