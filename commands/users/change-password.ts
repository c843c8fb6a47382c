import { passwordAtFault } from '../../domain/user/password-rules.ts';
import { userOf, userStream } from '../../domain/user/user.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position, Revision } from '../../schemas/event-envelope.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import type { Passwords } from '../ports/passwords.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { readState } from '../read-state.ts';
import { runCommand } from '../run-command.ts';
import { passwordContext } from './password-context.ts';

export interface ChangePasswordDeps extends CommandLog {
  readonly passwords: Passwords;
  readonly secretBox: SecretBox;
}

export interface PasswordChanged {
  readonly position: Position | null;
  /** Revision of the event on the user's stream: sessions that begin with this password carry it. */
  readonly credentialsRevision: Revision;
}

/** Sets a password. That whoever asks may do so (knows the old one, is an administrator) is for the caller to see to. */
export const changePassword = async (
  deps: ChangePasswordDeps,
  userId: UserId,
  password: string,
  context: CommandContext,
): Promise<PasswordChanged | Refusal> => {
  const user = await readState(deps.log, userStream(userId), userOf(userId));
  if (!user.registered) return refuse('not_found', 'There is no such user.');
  const weak = passwordAtFault(password, user.email);
  if (weak !== null) return weak;
  const hash = await deps.passwords.hash(password);
  if (isRefusal(hash)) return hash;
  const passwordHash = deps.secretBox.seal(hash, passwordContext(userId));
  const changed = await runCommand(
    deps.log,
    deps.appender,
    userStream(userId),
    userOf(userId),
    { kind: 'changeCredentials', passwordHash },
    context,
  );
  if (isRefusal(changed)) return changed;
  if (changed.revision === 'no_stream') throw new Error(`user ${userId} has credentials and no events`);
  return { position: changed.position, credentialsRevision: changed.revision };
};

/** Gives somebody a random password, to be shown once. */
export const resetPassword = async (
  deps: ChangePasswordDeps,
  userId: UserId,
  context: CommandContext,
): Promise<(PasswordChanged & { readonly password: string }) | Refusal> => {
  const password = deps.passwords.make();
  const changed = await changePassword(deps, userId, password, context);
  return isRefusal(changed) ? changed : { ...changed, password };
};
