import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import { RequestId } from '../../schemas/ids.ts';
import { beginCommand } from '../begin-command.ts';
import type { CommandLog } from '../command-log.ts';
import { platformContext } from '../platform-context.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';

/**
 * Whether this process is the one to do something: the first to say so in the log, of all that look at the same time. What is due at most once in a slot
 * of time has the slot's number in its name.
 */
export const claimTurn = async (
  deps: CommandLog & { readonly clock: Clock; readonly ids: IdSource },
  operation: string,
  name: string,
): Promise<boolean | Refusal> => {
  const context = platformContext(deps.ids, deps.clock, operation);
  const requestId = RequestId.parse(deps.ids.next('req'));
  const begun = await beginCommand(deps, { operation, key: name, requestId }, context);
  return isRefusal(begun) ? begun : begun.commandId === context.commandId;
};
