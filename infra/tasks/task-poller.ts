import { Counter, Gauge, type Registry } from 'prom-client';
import type { TaskDesk } from '../../gateways/relay/tasks/task-desk.ts';
import { hasEnded, owesRefund } from '../../domain/task/task.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import { isRefusal } from '../../schemas/errors.ts';
import { migrateWork } from '../workers/work-schema.ts';
import { claimPolls, keepPolls, releasePoll, type ClaimedPoll } from './poll-table.ts';

/** Times in milliseconds. */
export interface PollPolicy {
  /** Until an upstream is asked for the first time; then longer each time, by the factor, up to the longest. */
  readonly firstMs: number;
  readonly factor: number;
  readonly longestMs: number;
  /** How long a process may take over what it has claimed. */
  readonly claimMs: number;
  /** How many tasks are asked about at once. */
  readonly atOnce: number;
}

const DEFAULT_POLL_POLICY: PollPolicy = { firstMs: 5_000, factor: 1.3, longestMs: 60_000, claimMs: 120_000, atOnce: 16 };

export interface TaskPollerDeps {
  readonly database: ReadModelDatabase;
  readonly desk: Pick<TaskDesk, 'read' | 'refresh'>;
  readonly registry: Registry;
  readonly policy?: Partial<PollPolicy>;
}

/** Asks upstreams about tasks that nobody else asks about, so that each comes to its end and what has to is paid back. */
export class TaskPoller {
  readonly #deps: TaskPollerDeps;
  readonly #policy: PollPolicy;
  readonly #polled: Counter<'outcome'>;
  readonly #open: Gauge;
  #isReady = false;

  constructor(deps: TaskPollerDeps) {
    this.#deps = deps;
    this.#policy = { ...DEFAULT_POLL_POLICY, ...deps.policy };
    const registers = [deps.registry];
    this.#polled = new Counter({
      name: 'oblivious_task_polls_total',
      help: 'Questions to upstreams about tasks, by what was learnt.',
      labelNames: ['outcome'],
      registers,
    });
    this.#open = new Gauge({ name: 'oblivious_tasks_open', help: 'Tasks that run, or whose charge has to be paid back.', registers });
  }

  /** Asks about all tasks whose time has come. Any number of processes may do so at once. */
  async tick(signal: AbortSignal): Promise<void> {
    const { database } = this.#deps;
    const { firstMs, atOnce, claimMs } = this.#policy;
    if (!this.#isReady) {
      await database.transaction(migrateWork);
      this.#isReady = true;
    }
    const open = await keepPolls(database, firstMs);
    this.#open.set(open);
    while (!signal.aborted) {
      const claimed = await claimPolls(database, atOnce, claimMs);
      if (claimed.length === 0) return;
      await Promise.all(claimed.map((poll) => this.#poll(poll)));
    }
  }

  async #poll(poll: ClaimedPoll): Promise<void> {
    const { firstMs, factor, longestMs } = this.#policy;
    const isDone = await this.#ask(poll).catch(() => false);
    // What is done is forgotten once the read model shows it.
    const delayMs = isDone ? longestMs : Math.min(longestMs, firstMs * factor ** Math.min(poll.polls, 50));
    await releasePoll(this.#deps.database, poll, delayMs);
  }

  async #ask({ taskId }: ClaimedPoll): Promise<boolean> {
    const { desk } = this.#deps;
    const task = await desk.read(taskId);
    if (isRefusal(task)) {
      this.#polled.inc({ outcome: 'unknown' });
      return false;
    }
    const seen = await desk.refresh(task);
    const isDone = hasEnded(seen.task) && !owesRefund(seen.task);
    this.#polled.inc({ outcome: isDone ? 'ended' : seen.said === null ? 'silent' : 'running' });
    return isDone;
  }
}
