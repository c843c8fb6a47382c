import type { Task } from '../../../domain/task/task.ts';
import type { TaskShape } from '../../../schemas/events/task.ts';
import { generation } from './generic-video-routes.ts';
import { klingData } from './kling-routes.ts';
import { midjourneyTask } from './midjourney-routes.ts';
import { sunoTask } from './suno-routes.ts';

interface Telling {
  readonly words: (task: Task, said: unknown) => object;
  /** Whether those who speak so are told on the way too, and not of the end alone. */
  readonly onTheWay: boolean;
}

/** How hooks are told of tasks, in the words that they were asked for in; `null`: those have no hooks. */
export const TELLING: { readonly [S in TaskShape]: Telling | null } = {
  openai: null,
  generic: { words: generation, onTheWay: false },
  kling: { words: klingData, onTheWay: true },
  suno: { words: sunoTask, onTheWay: false },
  midjourney: { words: midjourneyTask, onTheWay: true },
};
