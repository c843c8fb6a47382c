import { z } from 'zod';
import { TaskId } from '../../../schemas/ids.ts';
import * as tasks from '../../../schemas/http/tasks.ts';
import type { Route } from '../route.ts';

const TaskParams = z.object({ taskId: TaskId });

export const taskRoutes = {
  listTasks: {
    method: 'get',
    path: '/tasks',
    auth: 'user',
    tag: 'Tasks',
    summary: 'Videos, music and whatever else outlives its call, newest first.',
    query: tasks.TaskQuery,
    answer: 'json',
    response: tasks.TaskPage,
  },
  readTask: {
    method: 'get',
    path: '/tasks/:taskId',
    auth: 'user',
    tag: 'Tasks',
    summary: 'One task, as far as is recorded.',
    params: TaskParams,
    query: tasks.OneTaskQuery,
    answer: 'json',
    response: tasks.TaskView,
  },
  cancelTask: {
    method: 'post',
    path: '/tasks/:taskId/cancel',
    auth: 'admin',
    tag: 'Tasks',
    summary: 'Give up a task that runs, and pay it back.',
    params: TaskParams,
    body: tasks.CancelTask,
    answer: 'json',
    response: tasks.TaskDone,
  },
} as const satisfies Record<string, Route>;
