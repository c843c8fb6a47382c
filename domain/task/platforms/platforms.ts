import type { UpstreamDialectName } from '../../providers/provider.ts';
import type { TaskPlatform } from '../../../schemas/events/task.ts';
import { klingTasks } from './kling-tasks.ts';
import { midjourneyTasks } from './midjourney-tasks.ts';
import { openaiTasks } from './openai-tasks.ts';
import type { Platform } from './platform.ts';
import { sunoTasks } from './suno-tasks.ts';

export const PLATFORMS: { readonly [P in TaskPlatform]: Platform } = {
  openai: openaiTasks,
  kling: klingTasks,
  suno: sunoTasks,
  midjourney: midjourneyTasks,
};

/** How an upstream is asked about its tasks; `null`: it has none. */
export const platformOf = (dialect: UpstreamDialectName): TaskPlatform | null =>
  dialect === 'openai' || dialect === 'kling' || dialect === 'suno' || dialect === 'midjourney' ? dialect : null;
