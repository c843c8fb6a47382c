import type { Handlers } from '../handler.ts';
import { accountHandlers } from './account-handlers.ts';
import { channelHandlers } from './channel-handlers.ts';
import { exportHandlers } from './export-handlers.ts';
import type { HandlerDeps } from './handler-deps.ts';
import { keyHandlers } from './key-handlers.ts';
import { ledgerHandlers } from './ledger-handlers.ts';
import { limitHandlers } from './limit-handlers.ts';
import { notificationHandlers } from './notification-handlers.ts';
import { operationHandlers } from './operation-handlers.ts';
import { overviewHandlers } from './overview-handlers.ts';
import { priceHandlers } from './price-handlers.ts';
import { requestHandlers } from './request-handlers.ts';
import { routingHandlers } from './routing-handlers.ts';
import { sessionHandlers } from './session-handlers.ts';
import { taskHandlers } from './task-handlers.ts';
import { userHandlers } from './user-handlers.ts';

/** A handler for every row of the route table. */
export const allHandlers = (deps: HandlerDeps): Handlers => ({
  ...sessionHandlers(deps),
  ...overviewHandlers(deps),
  ...keyHandlers(deps),
  ...channelHandlers(deps),
  ...routingHandlers(deps),
  ...userHandlers(deps),
  ...accountHandlers(deps),
  ...ledgerHandlers(deps),
  ...requestHandlers(deps),
  ...priceHandlers(deps),
  ...limitHandlers(deps),
  ...notificationHandlers(deps),
  ...exportHandlers(deps),
  ...taskHandlers(deps),
  ...operationHandlers(deps),
});
