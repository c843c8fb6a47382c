import { userOf, userStream } from '../../domain/user/user.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import type { Clock } from '../ports/clock.ts';
import { readState } from '../read-state.ts';
import { runCommand } from '../run-command.ts';
import { claimEmail, releaseEmail } from './email-address.ts';

/** Absent: as it is. */
export interface ChangeProfile {
  readonly userId: UserId;
  readonly email?: string;
  readonly displayName?: string;
}

/** A new name or address. The new address is claimed before, the old one released after: it is never nobody's in between. */
export const changeProfile = async (
  deps: CommandLog & { readonly clock: Clock },
  { userId, ...change }: ChangeProfile,
  context: CommandContext,
): Promise<{ readonly position: Position | null } | Refusal> => {
  const before = await readState(deps.log, userStream(userId), userOf(userId));
  if (!before.registered) return refuse('not_found', 'There is no such user.');
  const moves = change.email !== undefined && change.email.toLowerCase() !== before.email.toLowerCase();
  if (moves) {
    const taken = await claimEmail(deps, change.email ?? '', userId, context);
    if (taken !== null) return taken;
  }
  const changed = await runCommand(
    deps.log,
    deps.appender,
    userStream(userId),
    userOf(userId),
    { kind: 'changeProfile', ...change },
    context,
  );
  if (isRefusal(changed)) return changed;
  if (moves) {
    const kept = await releaseEmail(deps, before.email, userId, context);
    if (kept !== null) return kept;
  }
  return { position: changed.position };
};
