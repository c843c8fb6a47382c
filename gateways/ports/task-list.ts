import type { TaskFilter } from '../../projections/tasks/queries.ts';
import type { TaskDocument } from '../../projections/tasks/tables.ts';
import type { TaskId, UserId } from '../../schemas/ids.ts';

/** What is known of many tasks at once. It may be a moment behind. */
export interface TaskList {
  list(filter: TaskFilter): Promise<readonly TaskDocument[]>;
  /** One of this user's. */
  find(taskId: TaskId, userId: UserId): Promise<TaskDocument | null>;
}
