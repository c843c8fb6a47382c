import { setRoutingRules } from '../../../commands/routing/set-routing-rules.ts';
import type { Handlers } from '../handler.ts';
import { simulate } from '../simulate.ts';
import { doneAt } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

export const routingHandlers = (deps: HandlerDeps): Pick<Handlers, 'readRoutingRules' | 'setRoutingRules' | 'simulateRouting'> => ({
  readRoutingRules: () => deps.reads.routingRules(),
  setRoutingRules: async ({ body, context, expectedRevision }) =>
    doneAt(await setRoutingRules(deps, body.rules, context('platform'), expectedRevision)),
  simulateRouting: async ({ body }) => {
    const { rows } = await deps.reads.channels({});
    const { rules } = await deps.reads.routingRules();
    return simulate(body, rows, rules, deps.routingSight);
  },
});
