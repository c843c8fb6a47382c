import type { CancelTask, TaskView } from '../../../schemas/http/tasks.ts';
import type { Done, Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';
import type { Page, Paging, Scope } from './span.ts';

export type Task = Wire<typeof TaskView>;

export interface TaskFilter {
  readonly scope?: Scope;
  readonly userId?: string;
  readonly status?: Task['status'];
  readonly shape?: Task['shape'];
  readonly model?: string;
  readonly channelId?: string;
}

const at = (taskId: string, rest = ''): string => `/tasks/${encodeURIComponent(taskId)}${rest}`;

export const listTasks = (filter: TaskFilter & Paging, signal?: AbortSignal): Promise<Page<Task>> =>
  call('GET', '/tasks', { query: { ...filter }, signal });
export const readTask = (taskId: string, signal?: AbortSignal): Promise<Task> => call('GET', at(taskId), { signal });
export const cancelTask = (taskId: string, body: Wire<typeof CancelTask>): Promise<Wire<typeof Done>> =>
  call('POST', at(taskId, '/cancel'), { body });
