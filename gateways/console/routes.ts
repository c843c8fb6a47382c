import { accountRoutes } from './routes/account-routes.ts';
import { channelRoutes } from './routes/channel-routes.ts';
import { exportRoutes } from './routes/export-routes.ts';
import { keyRoutes } from './routes/key-routes.ts';
import { ledgerRoutes } from './routes/ledger-routes.ts';
import { notificationRoutes } from './routes/notification-routes.ts';
import { operationRoutes } from './routes/operation-routes.ts';
import { overviewRoutes } from './routes/overview-routes.ts';
import { peopleRoutes } from './routes/people-routes.ts';
import { priceRoutes } from './routes/price-routes.ts';
import { requestRoutes } from './routes/request-routes.ts';
import { routingRoutes } from './routes/routing-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { taskRoutes } from './routes/task-routes.ts';

/** Every route of the console's API, by operation. Order matters to Express where a fixed path and a parameter compete. */
export const routes = {
  ...sessionRoutes,
  ...overviewRoutes,
  ...keyRoutes,
  ...notificationRoutes,
  ...exportRoutes,
  ...taskRoutes,
  ...channelRoutes,
  ...routingRoutes,
  ...peopleRoutes,
  ...accountRoutes,
  ...ledgerRoutes,
  ...requestRoutes,
  ...priceRoutes,
  ...operationRoutes,
};

export type Routes = typeof routes;
export type Operation = keyof Routes;
