import type { SpendingRoute } from '../spending-route.ts';
import { addGenericVideoRoutes, genericVideoSpending } from './generic-video-routes.ts';
import { addKlingRoutes, klingSpending } from './kling-routes.ts';
import { addMidjourneyRoutes, midjourneySpending } from './midjourney-routes.ts';
import { addOpenaiVideoRoutes, openaiVideoSpending } from './openai-video-routes.ts';
import { addSunoRoutes, sunoSpending } from './suno-routes.ts';
import type { TaskRoutesDeps } from './task-routes-deps.ts';
import type { TaskDeps } from './video-task.ts';

/** The addresses of tasks that can spend. */
export const taskSpending = (deps: TaskDeps): readonly SpendingRoute[] => [
  ...openaiVideoSpending(deps),
  ...genericVideoSpending(deps),
  ...klingSpending(deps),
  ...sunoSpending(deps),
  ...midjourneySpending(deps),
];

/** The addresses of tasks at which nothing is spent. */
export const addTaskRoutes = (deps: TaskRoutesDeps): void => {
  addOpenaiVideoRoutes(deps);
  addGenericVideoRoutes(deps);
  addKlingRoutes(deps);
  addSunoRoutes(deps);
  addMidjourneyRoutes(deps);
};
