import type { Actor } from '../../schemas/event-envelope.ts';
import type { Role } from '../../schemas/events/user.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { SessionClaims } from '../ports/session-tokens.ts';

/** Somebody who signed in at the console. */
export interface SignedIn {
  readonly kind: 'user';
  readonly userId: UserId;
  readonly email: string;
  readonly displayName: string;
  readonly role: Role;
  readonly group: string;
  readonly session: SessionClaims;
}

/** Whoever holds the operator's file: an administrator without a name. */
export interface Operator {
  readonly kind: 'operator';
}

export type Caller = SignedIn | Operator;

export const isAdministrator = (caller: Caller): boolean => caller.kind === 'operator' || caller.role === 'admin';

export const actorOf = (caller: Caller): Actor =>
  caller.kind === 'operator' ? { kind: 'operator', id: 'operator' } : { kind: 'user', id: caller.userId };
