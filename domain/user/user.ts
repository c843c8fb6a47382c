import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { UserEvent } from '../../schemas/events/catalogue.ts';
import type { Role } from '../../schemas/events/user.ts';
import type { StreamName, UserId } from '../../schemas/ids.ts';
import type { Sealed } from '../../schemas/sealed.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const userStream = (userId: UserId): StreamName => streamName('user', userId);

export interface User {
  readonly registered: boolean;
  readonly email: string;
  readonly displayName: string;
  readonly role: Role;
  readonly group: string;
  readonly suspended: boolean;
}

const initial: User = { registered: false, email: '', displayName: '', role: 'user', group: '', suspended: false };

const evolve = (state: User, { type, data }: UserEvent): User => {
  switch (type) {
    case 'Registered':
      return { registered: true, email: data.email, displayName: data.displayName, role: data.role, group: data.group, suspended: false };
    case 'ProfileChanged':
      return { ...state, email: data.email, displayName: data.displayName };
    case 'RoleAssigned':
      return { ...state, role: data.role };
    case 'GroupAssigned':
      return { ...state, group: data.group };
    case 'CredentialsChanged':
      return state;
    case 'Suspended':
      return { ...state, suspended: true };
    case 'Reinstated':
      return { ...state, suspended: false };
  }
};

export type UserCommand =
  /** That nobody else has the address is the caller's to make sure, before. */
  | {
      readonly kind: 'register';
      readonly email: string;
      readonly displayName: string;
      readonly role: Role;
      readonly group: string;
      readonly passwordHash: Sealed;
    }
  | { readonly kind: 'changeProfile'; readonly email?: string; readonly displayName?: string }
  | { readonly kind: 'assignRole'; readonly role: Role }
  | { readonly kind: 'assignGroup'; readonly group: string }
  | { readonly kind: 'changeCredentials'; readonly passwordHash: Sealed }
  | { readonly kind: 'suspend'; readonly reason: string }
  | { readonly kind: 'reinstate' };

const decide = (command: UserCommand, state: User, userId: UserId): readonly UserEvent[] | Refusal => {
  if (command.kind === 'register') {
    if (state.registered) return refuse('already_exists', 'This user is registered already.');
    const { email, displayName, role, group, passwordHash } = command;
    return [
      { type: 'Registered', data: { userId, email, displayName, role, group } },
      { type: 'CredentialsChanged', data: { userId, passwordHash } },
    ];
  }
  if (!state.registered) return refuse('not_found', 'There is no such user.');

  switch (command.kind) {
    case 'changeProfile': {
      const { email = state.email, displayName = state.displayName } = command;
      return email === state.email && displayName === state.displayName
        ? []
        : [{ type: 'ProfileChanged', data: { userId, email, displayName } }];
    }
    case 'assignRole':
      return command.role === state.role ? [] : [{ type: 'RoleAssigned', data: { userId, role: command.role } }];
    case 'assignGroup':
      return command.group === state.group ? [] : [{ type: 'GroupAssigned', data: { userId, group: command.group } }];
    case 'changeCredentials':
      return [{ type: 'CredentialsChanged', data: { userId, passwordHash: command.passwordHash } }];
    case 'suspend':
      return state.suspended ? [] : [{ type: 'Suspended', data: { userId, reason: command.reason } }];
    case 'reinstate':
      return state.suspended ? [{ type: 'Reinstated', data: { userId } }] : [];
  }
};

/** One person. */
export const userOf = (userId: UserId): Decider<User, UserCommand, UserEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, userId),
});
