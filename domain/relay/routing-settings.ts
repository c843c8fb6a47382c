import { type EventOf } from '../../schemas/events/catalogue.ts';
import type { RoutingRules } from '../../schemas/events/routing.ts';
import type { StreamName } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const routingStream: StreamName = streamName('settings', 'routing');

type RoutingEvent = EventOf<'RoutingRulesSet'>;

/** The rules of routing, all of them at once: their order is what they mean. */
export const routingSettings: Decider<RoutingRules, { readonly kind: 'setRules'; readonly rules: RoutingRules }, RoutingEvent> = {
  initial: [],
  evolve: (_rules, { data }) => data.rules,
  decide: ({ rules }, before) => (JSON.stringify(rules) === JSON.stringify(before) ? [] : [{ type: 'RoutingRulesSet', data: { rules } }]),
};
