import { limitPolicy, limitPolicyStream } from '../../domain/limits/limit-policy.ts';
import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { Position, Revision } from '../../schemas/event-envelope.ts';
import { NO_LIMITS, type LimitPolicy } from '../../schemas/limits.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import type { EventLog } from '../ports/event-log.ts';
import { runCommand } from '../run-command.ts';

/** All rules at once. Gateways hold to them as soon as they hear of them: within a second. */
export const setLimits = (
  deps: CommandLog,
  policy: LimitPolicy,
  context: CommandContext,
  expectedRevision?: Revision,
): Promise<{ readonly position: Position | null } | Refusal> =>
  runCommand(deps.log, deps.appender, limitPolicyStream, limitPolicy, { kind: 'set', policy }, context, expectedRevision);

/** What holds now, from the log itself; `revision` is -1 before anybody set anything. */
export const readLimits = async (
  log: Pick<EventLog, 'readStream'>,
): Promise<{ readonly policy: LimitPolicy; readonly revision: number }> => {
  for await (const recorded of log.readStream(limitPolicyStream, { direction: 'backwards', limit: 1 })) {
    const event = decodeEvent(recorded);
    if (event.type === 'LimitsSet') return { policy: event.data.policy, revision: recorded.revision };
  }
  return { policy: NO_LIMITS, revision: -1 };
};
