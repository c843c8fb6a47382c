import { userOf, userStream, type User, type UserCommand } from '../../domain/user/user.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/event-envelope.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand, type CommandResult } from '../run-command.ts';

/** What is done to a user by somebody else and moves no other stream. */
export type DirectUserCommand = Extract<UserCommand, { kind: 'assignRole' | 'assignGroup' | 'suspend' | 'reinstate' }>;

/**
 * Runs a command on a user. Administrators cannot suspend themselves or give up their own role: so there is always one
 * left who can act.
 */
export const runUserCommand = async (
  deps: CommandLog,
  userId: UserId,
  command: DirectUserCommand,
  context: CommandContext,
  expectedRevision?: Revision,
): Promise<CommandResult<User> | Refusal> => {
  const losesPower = command.kind === 'suspend' || (command.kind === 'assignRole' && command.role !== 'admin');
  if (losesPower && context.actor.kind === 'user' && context.actor.id === userId)
    return refuse('wrong_state', 'You cannot do this to yourself. Another administrator can.');
  return runCommand(deps.log, deps.appender, userStream(userId), userOf(userId), command, context, expectedRevision);
};
