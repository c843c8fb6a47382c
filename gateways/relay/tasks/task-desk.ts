import type { CommandContext } from '../../../commands/command-context.ts';
import type { Clock } from '../../../commands/ports/clock.ts';
import type { EgressCheck } from '../../../commands/ports/egress-check.ts';
import type { IdSource } from '../../../commands/ports/id-source.ts';
import { orLogUnavailable } from '../../../commands/log-unavailable.ts';
import type { SecretBox } from '../../../commands/ports/secret-box.ts';
import { readState } from '../../../commands/read-state.ts';
import { runTaskCommand } from '../../../commands/tasks/run-task-command.ts';
import { settleTask, type SettleDeps } from '../../../commands/tasks/settle-task.ts';
import { isoInstant } from '../../../domain/kernel/iso-instant.ts';
import { PLATFORMS } from '../../../domain/task/platforms/platforms.ts';
import { hasEnded, owesRefund, taskOf, taskStream, type Task, type TaskCommand, type TaskNews } from '../../../domain/task/task.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { CommandId, TaskId, type UserId } from '../../../schemas/ids.ts';
import type { EventOf } from '../../../schemas/events/catalogue.ts';
import type { TaskChannels } from '../../ports/task-channels.ts';
import type { TaskList } from '../../ports/task-list.ts';
import type { Upstream } from '../../ports/upstream.ts';
import { askTask } from './ask-task.ts';

export type Submission = EventOf<'TaskSubmitted'>['data'];

/** After so long without an end a task is given up, and paid back. */
export const TASK_LIFE_MS = 86_400_000;

/** An upstream that does not know a task this old has lost it; before, it may only be slow to know. */
const LOST_AFTER_MS = 600_000;

/** How long what an upstream said is good for, while a task runs and when it is done. */
const FRESH_MS = { running: 2_000, done: 60_000 } as const;

/** What upstreams said of this many tasks is kept; beyond that it is let go all together. */
const MOST_KEPT = 1_000;

export interface TaskDeskDeps extends SettleDeps {
  readonly channels: TaskChannels;
  readonly list: TaskList;
  readonly upstream: Upstream;
  /** For addresses that callers gave, to be told at. */
  readonly hookEgress: EgressCheck;
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly sandboxUrl: () => string | null;
}

/** A task as it stands, and what its upstream says of it; `null` where that is not known. */
export interface SeenTask {
  readonly task: Task & { readonly submission: Submission };
  readonly said: unknown;
}

interface Said {
  readonly at: number;
  readonly said: unknown;
}

const NOT_FOUND = refuse('not_found', 'There is no such task.');

/** Everything that is done about tasks once an upstream has taken them, in whatever process. */
export class TaskDesk {
  readonly #deps: TaskDeskDeps;
  readonly #said = new Map<TaskId, Said>();
  /** Questions on their way: whoever asks the same meanwhile waits for the same answer. */
  readonly #asking = new Map<TaskId, Promise<unknown>>();

  constructor(deps: TaskDeskDeps) {
    this.#deps = deps;
  }

  nextId(): TaskId {
    return TaskId.parse(this.#deps.ids.next('task'));
  }

  get secrets(): SecretBox {
    return this.#deps.secrets;
  }

  get hookEgress(): EgressCheck {
    return this.#deps.hookEgress;
  }

  get list(): TaskList {
    return this.#deps.list;
  }

  /** Records a task that an upstream has taken. */
  submit(submission: Submission): Promise<Task | Refusal> {
    return this.#run(submission.taskId, submission.userId, { kind: 'submit', submission }, 'submit');
  }

  /** A task that is charged to nobody after all. */
  async abandon({ submission }: Task): Promise<void> {
    if (submission !== null)
      await this.report(submission, { status: 'failed', code: 'not_charged', reason: 'The charge could not be recorded.' });
  }

  /** Somebody's own task; anybody else's is not found. */
  async own(userId: UserId, id: string): Promise<SeenTask['task'] | Refusal> {
    const taskId = TaskId.safeParse(id);
    const task = taskId.success ? await this.read(taskId.data) : NOT_FOUND;
    return !isRefusal(task) && task.submission.userId === userId && !task.deleted ? task : NOT_FOUND;
  }

  read(taskId: TaskId): Promise<SeenTask['task'] | Refusal> {
    return orLogUnavailable(this.#read(taskId));
  }

  async #read(taskId: TaskId): Promise<SeenTask['task'] | Refusal> {
    const { submission, ...task } = await readState(this.#deps.log, taskStream(taskId), taskOf(taskId));
    return submission === null ? NOT_FOUND : { ...task, submission };
  }

  /** What its upstream says of a task now, recorded. Asks no more often than makes sense. */
  async look(task: SeenTask['task']): Promise<SeenTask> {
    const { taskId } = task.submission;
    const kept = this.#said.get(taskId);
    const freshMs = hasEnded(task) ? FRESH_MS.done : FRESH_MS.running;
    if (kept !== undefined && this.#deps.clock.now() - kept.at < freshMs) return { task, said: kept.said };
    const asking = this.#asking.get(taskId);
    if (asking !== undefined) {
      const said = await asking;
      const now = await this.read(taskId);
      return { task: isRefusal(now) ? task : now, said };
    }
    const refreshing = this.refresh(task);
    this.#asking.set(
      taskId,
      refreshing.then(({ said }) => said),
    );
    try {
      return await refreshing;
    } finally {
      this.#asking.delete(taskId);
    }
  }

  /** Asks the upstream, whatever was said before; records what is new and pays back what came to nothing. */
  async refresh(task: SeenTask['task']): Promise<SeenTask> {
    const { submission } = task;
    const { clock } = this.#deps;
    if (hasEnded(task) && task.status !== 'succeeded') return { task: await this.#settled(task), said: null };
    const { platform, upstreamAction, upstreamId, taskId } = submission;
    const rules = PLATFORMS[platform];
    const answer = await askTask(this.#deps, submission, { method: 'GET', path: rules.path(upstreamAction, upstreamId) });
    if (answer === null) return { task: await this.#expired(task), said: null };
    const isLost = (answer.status === 404 || answer.status === 410) && clock.now() - Date.parse(submission.submittedAt) >= LOST_AFTER_MS;
    const news: TaskNews | null =
      answer.status === 200
        ? rules.news(answer.said)
        : isLost
          ? { status: 'failed', code: 'lost', reason: 'The upstream does not know the task any more.' }
          : null;
    if (news === null) return { task: await this.#expired(task), said: null };
    if (answer.status === 200) {
      if (this.#said.size >= MOST_KEPT) this.#said.clear();
      this.#said.set(taskId, { at: clock.now(), said: answer.said });
    }
    const told = hasEnded(task) ? task : await this.report(submission, news);
    return { task: await this.#expired(isRefusal(told) ? task : told), said: answer.status === 200 ? answer.said : null };
  }

  async report(submission: Submission, news: TaskNews): Promise<SeenTask['task'] | Refusal> {
    const at = isoInstant(this.#deps.clock.now());
    return this.#then(submission, { kind: 'report', news, at });
  }

  /** Takes a task that has ended away, here and at its upstream where that can be done there. */
  async delete(userId: UserId, { submission }: SeenTask['task']): Promise<SeenTask['task'] | Refusal> {
    const { platform, upstreamAction, upstreamId } = submission;
    const deleted = await this.#then(submission, { kind: 'delete', userId, at: isoInstant(this.#deps.clock.now()) });
    if (!isRefusal(deleted) && platform === 'openai')
      await askTask(this.#deps, submission, { method: 'DELETE', path: PLATFORMS[platform].path(upstreamAction, upstreamId) });
    return deleted;
  }

  /** Where a task is that something else is asked about. */
  get asking(): Pick<TaskDeskDeps, 'channels' | 'upstream' | 'secrets' | 'sandboxUrl'> {
    return this.#deps;
  }

  async #then(submission: Submission, command: TaskCommand): Promise<SeenTask['task'] | Refusal> {
    const { taskId, userId } = submission;
    const done = await this.#run(taskId, userId, command, this.#deps.ids.next('cmd'));
    return isRefusal(done) ? done : this.#settled({ ...done, submission });
  }

  async #expired(task: SeenTask['task']): Promise<SeenTask['task']> {
    const at = isoInstant(this.#deps.clock.now());
    if (hasEnded(task) || at < task.submission.expiresAt) return this.#settled(task);
    const expired = await this.#then(task.submission, { kind: 'expire', at });
    return isRefusal(expired) ? task : expired;
  }

  async #settled(task: SeenTask['task']): Promise<SeenTask['task']> {
    if (!owesRefund(task)) return task;
    const settled = await settleTask(this.#deps, task, isoInstant(this.#deps.clock.now()));
    // It is settled by whoever looks next, and by the poller at the latest.
    return isRefusal(settled) ? task : { ...settled, submission: task.submission };
  }

  async #run(taskId: TaskId, userId: UserId, command: TaskCommand, step: string): Promise<Task | Refusal> {
    const context: CommandContext = {
      commandId: CommandId.parse(`${taskId}/${step}`),
      correlationId: taskId,
      causationId: taskId,
      actor: { kind: 'system', id: 'tasks' },
      tenant: userId,
      occurredAt: isoInstant(this.#deps.clock.now()),
    };
    const done = await runTaskCommand(this.#deps, taskId, command, context);
    return isRefusal(done) ? done : done.state;
  }
}
