import { TaskDesk, type TaskDeskDeps } from '../../gateways/relay/tasks/task-desk.ts';
import { channelById } from '../../projections/channels/queries.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { listTasks, taskById } from '../../projections/tasks/queries.ts';

export interface OpenTaskDeskOptions extends Omit<TaskDeskDeps, 'channels' | 'list'> {
  readonly database: Sql;
}

/** What is done about tasks, by what the read models know of them and of the channels that have them. */
export const openTaskDesk = ({ database, ...deps }: OpenTaskDeskOptions): TaskDesk =>
  new TaskDesk({
    ...deps,
    channels: {
      find: async (channelId) => {
        const channel = await channelById(database, channelId);
        return channel === null || channel.removed ? null : channel;
      },
    },
    list: {
      list: (filter) => listTasks(database, filter),
      find: (taskId, userId) => taskById(database, taskId, userId),
    },
  });
