import { readLimits, setLimits } from '../../../commands/limits/set-limits.ts';
import type { Handlers } from '../handler.ts';
import { doneAt } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type LimitHandlers = Pick<Handlers, 'readLimits' | 'setLimits'>;

export const limitHandlers = (deps: HandlerDeps): LimitHandlers => ({
  readLimits: () => readLimits(deps.log),
  setLimits: async ({ body, context, expectedRevision }) => doneAt(await setLimits(deps, body, context('platform'), expectedRevision)),
});
