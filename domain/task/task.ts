import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { TaskEvent } from '../../schemas/events/catalogue.ts';
import type { StreamName, TaskId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const taskStream = (taskId: TaskId): StreamName => streamName('task', taskId);

/** In the order in which a task goes through them; the last four are ends. */
export type TaskStatus = 'none' | 'submitted' | 'queued' | 'in_progress' | 'succeeded' | 'failed' | 'cancelled' | 'expired';

type Submission = Extract<TaskEvent, { readonly type: 'TaskSubmitted' }>['data'];

export interface Task {
  readonly status: TaskStatus;
  /** `null` before it was submitted. */
  readonly submission: Submission | null;
  readonly percent: number;
  /** ISO 8601; of the end. */
  readonly endedAt: string | null;
  readonly failure: { readonly code: string; readonly reason: string } | null;
  /** What came back to the caller; `null` while that is not settled, or where there is nothing to settle. */
  readonly refunded: Money | null;
  readonly deleted: boolean;
}

const initial: Task = { status: 'none', submission: null, percent: 0, endedAt: null, failure: null, refunded: null, deleted: false };

const evolve = (state: Task, { type, data }: TaskEvent): Task => {
  switch (type) {
    case 'TaskSubmitted':
      return { ...initial, status: 'submitted', submission: data };
    case 'TaskProgressed':
      return { ...state, status: data.status, percent: data.percent };
    case 'TaskSucceeded':
      return { ...state, status: 'succeeded', percent: 100, endedAt: data.at };
    case 'TaskFailed':
      return { ...state, status: 'failed', endedAt: data.at, failure: { code: data.code, reason: data.reason } };
    case 'TaskCancelled':
      return { ...state, status: 'cancelled', endedAt: data.at, failure: { code: 'cancelled', reason: data.reason } };
    case 'TaskExpired':
      return {
        ...state,
        status: 'expired',
        endedAt: data.at,
        failure: { code: 'expired', reason: 'Nothing was heard of its end in time.' },
      };
    case 'TaskSettled':
      return { ...state, refunded: data.refunded };
    case 'TaskDeleted':
      return { ...state, deleted: true };
  }
};

/** What an upstream says of a task. */
export type TaskNews =
  | { readonly status: 'queued' | 'in_progress'; readonly percent: number }
  | { readonly status: 'succeeded' }
  | { readonly status: 'failed'; readonly code: string; readonly reason: string };

/** `at`: ISO 8601. */
export type TaskCommand =
  | { readonly kind: 'submit'; readonly submission: Submission }
  | { readonly kind: 'report'; readonly news: TaskNews; readonly at: string }
  | { readonly kind: 'cancel'; readonly reason: string; readonly at: string }
  | { readonly kind: 'expire'; readonly at: string }
  | { readonly kind: 'settle'; readonly refunded: Money }
  | { readonly kind: 'delete'; readonly userId: UserId; readonly at: string };

const RANK: Readonly<Record<TaskStatus, number>> = {
  none: -1,
  submitted: 0,
  queued: 1,
  in_progress: 2,
  succeeded: 3,
  failed: 3,
  cancelled: 3,
  expired: 3,
};

export const hasEnded = ({ status }: Pick<Task, 'status'>): boolean => RANK[status] === 3;

/** Whether its charge has to come back, and has not yet. */
export const owesRefund = (state: Pick<Task, 'status' | 'refunded'>): boolean =>
  hasEnded(state) && state.status !== 'succeeded' && state.refunded === null;

/** Progress is recorded in steps of so many points: each is an event. */
export const PERCENT_STEP = 10;

const REASON_LENGTH = 500;
const CODE_LENGTH = 64;

const reported = (news: TaskNews, state: Task, taskId: TaskId, userId: UserId, at: string): readonly TaskEvent[] => {
  switch (news.status) {
    case 'succeeded':
      return [{ type: 'TaskSucceeded', data: { taskId, userId, at } }];
    case 'failed':
      return [
        {
          type: 'TaskFailed',
          data: { taskId, userId, at, code: news.code.slice(0, CODE_LENGTH), reason: news.reason.slice(0, REASON_LENGTH) },
        },
      ];
    default: {
      const percent = Math.max(state.percent, Math.min(100, Math.max(0, Math.floor(news.percent))));
      const isAhead = RANK[news.status] > RANK[state.status] || (news.status === state.status && percent >= state.percent + PERCENT_STEP);
      return isAhead ? [{ type: 'TaskProgressed', data: { taskId, status: news.status, percent, at } }] : [];
    }
  }
};

const decide = (command: TaskCommand, state: Task, taskId: TaskId): readonly TaskEvent[] | Refusal => {
  if (command.kind === 'submit')
    return state.status === 'none' ? [{ type: 'TaskSubmitted', data: command.submission }] : refuse('already_exists');
  const { submission } = state;
  if (submission === null) return refuse('not_found', 'There is no such task.');
  const { userId } = submission;
  switch (command.kind) {
    case 'report':
      // News that comes twice, late or out of order changes nothing.
      return hasEnded(state) ? [] : reported(command.news, state, taskId, userId, command.at);
    case 'cancel':
      if (state.status === 'cancelled') return [];
      if (hasEnded(state)) return refuse('wrong_state', `The task is ${state.status} and cannot be cancelled any more.`);
      return [{ type: 'TaskCancelled', data: { taskId, userId, at: command.at, reason: command.reason.slice(0, REASON_LENGTH) } }];
    case 'expire':
      return hasEnded(state) || command.at < submission.expiresAt
        ? []
        : [{ type: 'TaskExpired', data: { taskId, userId, at: command.at } }];
    case 'settle':
      if (!hasEnded(state) || state.status === 'succeeded') return refuse('wrong_state', 'Only what came to nothing is paid back.');
      if (command.refunded > submission.price) return refuse('exceeds_charge');
      return state.refunded === null ? [{ type: 'TaskSettled', data: { taskId, userId, refunded: command.refunded } }] : [];
    case 'delete':
      if (command.userId !== userId || state.deleted) return refuse('not_found', 'There is no such task.');
      return hasEnded(state)
        ? [{ type: 'TaskDeleted', data: { taskId, userId, at: command.at } }]
        : refuse('wrong_state', 'The task is still being worked on.');
  }
};

/** Work that an upstream does for longer than a call lasts: submitted, asked about, and paid back where it comes to nothing. */
export const taskOf = (taskId: TaskId): Decider<Task, TaskCommand, TaskEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, taskId),
});
