import { CommandId } from '../schemas/ids.ts';
import type { CommandContext } from './command-context.ts';
import type { Clock } from './ports/clock.ts';
import type { IdSource } from './ports/id-source.ts';

/** The context of what the platform does by itself; `actor` says which part of it. Each call is a command of its own. */
export const platformContext = (ids: IdSource, clock: Clock, actor: string): CommandContext => {
  const commandId = CommandId.parse(ids.next('cmd'));
  return {
    commandId,
    correlationId: commandId,
    causationId: commandId,
    actor: { kind: 'system', id: actor },
    tenant: 'platform',
    occurredAt: new Date(clock.now()).toISOString(),
  };
};
