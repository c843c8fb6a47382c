import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { emailClaim } from '../../domain/user/email-claim.ts';
import { userOf, userStream, type User } from '../../domain/user/user.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/event-envelope.ts';
import type { UserEvent } from '../../schemas/events/catalogue.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { Sealed } from '../../schemas/sealed.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { Passwords } from '../ports/passwords.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { readState } from '../read-state.ts';
import { emailStreamOf } from './email-address.ts';
import { passwordContext } from './password-context.ts';

/** A user as the log has him at this moment, read where nothing can lag: whether somebody is let in rests on it. */
export interface KnownUser {
  readonly userId: UserId;
  readonly user: User;
  readonly passwordHash: Sealed;
  /** Revision of the event that set the password. */
  readonly credentialsRevision: Revision;
}

type ReadsStreams = Pick<EventLog, 'readStream'>;

export const readUser = async (log: ReadsStreams, userId: UserId): Promise<KnownUser | null> => {
  const { initial, evolve } = userOf(userId);
  let user = initial;
  let credentials: Pick<KnownUser, 'passwordHash' | 'credentialsRevision'> | null = null;
  for await (const recorded of log.readStream(userStream(userId))) {
    const event = decodeEvent(recorded) as UserEvent;
    user = evolve(user, event);
    if (event.type === 'CredentialsChanged')
      credentials = { passwordHash: event.data.passwordHash, credentialsRevision: recorded.revision };
  }
  return user.registered && credentials !== null ? { userId, user, ...credentials } : null;
};

const findByEmail = async (log: ReadsStreams, email: string): Promise<KnownUser | null> => {
  const userId = await readState(log, emailStreamOf(email), emailClaim);
  const known = userId === null ? null : await readUser(log, userId);
  // A claim that was not used yet is no address of its user's.
  return known !== null && known.user.email.toLowerCase() === email.toLowerCase() ? known : null;
};

/**
 * Who an address and a password belong to. An unknown address costs as much time as a wrong password and is told the same.
 * That the account is suspended is told only to who knows its password.
 */
export const checkCredentials = async (
  deps: { readonly log: ReadsStreams; readonly passwords: Passwords; readonly secretBox: SecretBox },
  email: string,
  password: string,
): Promise<KnownUser | Refusal> => {
  const known = await findByEmail(deps.log, email);
  const hash = known === null ? null : deps.secretBox.open(known.passwordHash, passwordContext(known.userId));
  const right = await deps.passwords.verify(hash, password);
  if (isRefusal(right)) return right;
  if (!right || known === null) return refuse('wrong_credentials');
  return known.user.suspended ? refuse('user_suspended') : known;
};

/** Whether this is the user's password. */
export const knowsPassword = async (
  deps: { readonly log: ReadsStreams; readonly passwords: Passwords; readonly secretBox: SecretBox },
  userId: UserId,
  password: string,
): Promise<boolean | Refusal> => {
  const known = await readUser(deps.log, userId);
  return deps.passwords.verify(known === null ? null : deps.secretBox.open(known.passwordHash, passwordContext(userId)), password);
};
