import { addOpenaiVideoRoutes } from './openai-video-routes.ts';
import type { TaskRoutesDeps } from './task-routes-deps.ts';

/** The addresses of tasks at which nothing is spent. */
export const addTaskRoutes = (deps: TaskRoutesDeps): void => {
  addOpenaiVideoRoutes(deps);
};
