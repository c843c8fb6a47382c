import type { Task } from '../../../domain/task/task.ts';
import type { TaskPlatform, TaskShape } from '../../../schemas/events/task.ts';
import type { TaskId } from '../../../schemas/ids.ts';

/** What is to be recorded of a task, and how whoever asked for it is answered. */
export interface TaskAsked {
  readonly shape: TaskShape;
  readonly action: string;
  /** The upstream's own word for the action. */
  readonly upstreamAction: (platform: TaskPlatform) => string;
  readonly seconds: number | null;
  readonly size: string | null;
  readonly source: TaskId | null;
  /** Where the caller wants to be told. */
  readonly hook?: string;
  /** `said`: by the upstream that took it. */
  readonly answer: (task: Task, said: unknown) => object;
}
