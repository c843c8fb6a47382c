import type { Task, TaskFilter } from '../../api/tasks.ts';
import { oneOf, text, type ValuesOf } from '../../lib/url-state.ts';

export const TASK_STATES = [
  'submitted',
  'queued',
  'in_progress',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
] as const satisfies readonly Task['status'][];
export const TASK_SHAPES = ['openai', 'generic', 'kling', 'suno', 'midjourney'] as const satisfies readonly Task['shape'][];

/** Short and stable: these are in people's bookmarks. */
export const TASK_FIELDS = {
  model: text(),
  state: oneOf(['', ...TASK_STATES], ''),
  words: oneOf(['', ...TASK_SHAPES], ''),
  channel: text(),
  user: text(),
  scope: oneOf(['mine', 'all'], 'mine'),
} as const;
export type TaskFilterValues = ValuesOf<typeof TASK_FIELDS>;

/** Those that narrow the list; whose tasks does not count as a filter to be cleared. */
export const NARROWING = ['model', 'state', 'words', 'channel', 'user'] as const;

const given = <Text extends string>(value: Text | ''): Text | undefined => (value === '' ? undefined : value);

/** What an address asks of channels and of others is for administrators; for anybody else it is not asked. */
export const taskFilterOf = (values: TaskFilterValues, isAdmin: boolean): TaskFilter => ({
  scope: isAdmin && values.scope === 'all' ? 'all' : undefined,
  model: given(values.model),
  status: given(values.state),
  shape: given(values.words),
  channelId: isAdmin ? given(values.channel) : undefined,
  userId: isAdmin ? given(values.user) : undefined,
});
