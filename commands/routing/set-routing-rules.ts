import { routingSettings, routingStream } from '../../domain/relay/routing-settings.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { Position, Revision } from '../../schemas/event-envelope.ts';
import type { RoutingRules } from '../../schemas/events/routing.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand } from '../run-command.ts';

/** These rules and no others, in this order. */
export const setRoutingRules = (
  deps: CommandLog,
  rules: RoutingRules,
  context: CommandContext,
  expectedRevision?: Revision,
): Promise<{ readonly position: Position | null } | Refusal> =>
  runCommand(deps.log, deps.appender, routingStream, routingSettings, { kind: 'setRules', rules }, context, expectedRevision);
