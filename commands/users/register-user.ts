import { userOf, userStream } from '../../domain/user/user.ts';
import { passwordAtFault } from '../../domain/user/password-rules.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { Role } from '../../schemas/events/user.ts';
import { UserId } from '../../schemas/ids.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { derivedId, stepOf } from '../derived-id.ts';
import type { AccountBook } from '../ledger/account-book.ts';
import type { Clock } from '../ports/clock.ts';
import type { Passwords } from '../ports/passwords.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { runCommand } from '../run-command.ts';
import { claimEmail } from './email-address.ts';
import { passwordContext } from './password-context.ts';

export interface RegisterUserDeps extends CommandLog {
  readonly book: Pick<AccountBook, 'execute'>;
  readonly passwords: Passwords;
  readonly secretBox: SecretBox;
  readonly clock: Clock;
}

export interface RegisterUser {
  readonly email: string;
  readonly displayName: string;
  readonly role: Role;
  readonly group: string;
  /** IANA name; days and months of caps begin by it. */
  readonly timeZone: string;
  /** Absent: a random one is made. */
  readonly password?: string;
}

export interface Registered {
  readonly userId: UserId;
  readonly position: Position | null;
  /** The password that was made, to be shown once; `null` when it was given. */
  readonly password: string | null;
}

/** A new person with an account. The account comes first: nobody is ever registered without one. */
export const registerUser = async (
  deps: RegisterUserDeps,
  command: RegisterUser,
  context: CommandContext,
): Promise<Registered | Refusal> => {
  const { email, displayName, role, group, timeZone } = command;
  const made = command.password === undefined ? deps.passwords.make() : null;
  const password = command.password ?? made ?? '';
  const weak = passwordAtFault(password, email);
  if (weak !== null) return weak;
  const hash = await deps.passwords.hash(password);
  if (isRefusal(hash)) return hash;

  const userId = UserId.parse(derivedId('usr', context.commandId));
  const taken = await claimEmail(deps, email, userId, context);
  if (taken !== null) return taken;
  const opened = await deps.book.execute(userId, { kind: 'openAccount', timeZone }, stepOf(context, 'open-account'));
  if (isRefusal(opened) && opened.refused !== 'already_exists') return opened;
  const passwordHash = deps.secretBox.seal(hash, passwordContext(userId));
  const registered = await runCommand(
    deps.log,
    deps.appender,
    userStream(userId),
    userOf(userId),
    { kind: 'register', email, displayName, role, group, passwordHash },
    stepOf(context, 'register'),
  );
  return isRefusal(registered) ? registered : { userId, position: registered.position, password: made };
};
